// Actions: the list, making one, and the order in which a trigger's Actions run.

import { Anchor, Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import { call, useOne, usePage } from '../api';
import { useFilters } from '../filters';
import { Told, useChange } from '../parts/change';
import { Create } from '../parts/create';
import { List } from '../parts/list';
import { Block, Head, State, When } from '../parts/show';
import { Empty, Failure, Loaded } from '../parts/state';
import type { Action, Binding } from '../types';

const TRIGGERS = [
  { value: 'post-login', label: 'Post login: after a sign-in, before tokens are made', handler: 'onExecutePostLogin' },
  { value: 'credentials-exchange', label: 'Credentials exchange: a program asks for a token', handler: 'onExecuteCredentialsExchange' },
  { value: 'pre-user-registration', label: 'Pre user registration: before a user is made', handler: 'onExecutePreUserRegistration' },
  { value: 'post-user-registration', label: 'Post user registration: after a user was made', handler: 'onExecutePostUserRegistration' },
  { value: 'post-change-password', label: 'Post change password', handler: 'onExecutePostChangePassword' },
];

const ActionLink = ({ id, children }: { id: string; children: ReactNode }) => (
  <Anchor component={Link} to="/actions/$id" params={{ id } as never}>
    {children}
  </Anchor>
);

function firstCode(trigger: string): string {
  const handler = TRIGGERS.find(({ value }) => value === trigger)?.handler ?? 'onExecutePostLogin';
  const body = trigger === 'post-login' ? "  api.session.setMetadata('last_app', event.client.name);\n" : '  console.log(event);\n';
  return `exports.${handler} = async (event, api) => {\n${body}};\n`;
}

function NewAction() {
  const [name, setName] = useState('');
  const [trigger, setTrigger] = useState('post-login');
  const navigate = useNavigate();
  return (
    <Create
      label="Create Action"
      title="Create an Action"
      ready={name.trim() !== ''}
      work={() => call<Action>('POST', 'actions/actions', { name: name.trim(), supported_triggers: [{ id: trigger }], code: firstCode(trigger) })}
      done={(made) => void navigate({ to: '/actions/$id', params: { id: made.id } })}
    >
        <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <NativeSelect label="When it runs" data={TRIGGERS.map(({ value, label }) => ({ value, label }))} value={trigger} onChange={(event) => setTrigger(event.currentTarget.value)} />
    </Create>
  );
}

const move = <T,>(list: T[], from: number, to: number): T[] => {
  const next = [...list];
  const [taken] = next.splice(from, 1);
  if (taken !== undefined) next.splice(to, 0, taken);
  return next;
};

interface Step {
  action: string;
  name: string;
}

function Order({ trigger, bound, actions }: { trigger: string; bound: Binding[]; actions: Action[] }) {
  const now = bound.map(({ action, display_name }): Step => ({ action: action.id, name: display_name || action.name }));
  const [steps, setSteps] = useState(now);
  const [chosen, setChosen] = useState('');
  const save = useChange(() =>
    call('PATCH', `actions/triggers/${trigger}/bindings`, {
      bindings: steps.map(({ action, name }) => ({ ref: { type: 'action_id', value: action }, display_name: name })),
    }),
  );
  const free = actions.filter((action) => action.deployed_version && !steps.some((step) => step.action === action.id));
  const isSame = JSON.stringify(now) === JSON.stringify(steps);
  const change = (next: Step[]) => {
    save.reset();
    setSteps(next);
  };
  return (
    <Stack>
      {steps.length === 0 && (
        <Text size="sm" c="dimmed">
          Nothing runs here. Deploy an Action, then add it below.
        </Text>
      )}
      <ol style={{ margin: 0, paddingInlineStart: 24 }}>
        {steps.map((step, at) => (
          <li key={step.action}>
            <Group justify="space-between" py={6}>
              <ActionLink id={step.action}>{step.name}</ActionLink>
              <Group gap="xs">
                <Button size="compact-sm" variant="default" disabled={at === 0} onClick={() => change(move(steps, at, at - 1))} aria-label={`Move ${step.name} up`}>
                  Up
                </Button>
                <Button size="compact-sm" variant="default" disabled={at === steps.length - 1} onClick={() => change(move(steps, at, at + 1))} aria-label={`Move ${step.name} down`}>
                  Down
                </Button>
                <Button size="compact-sm" variant="default" onClick={() => change(steps.filter((_, index) => index !== at))} aria-label={`Take ${step.name} out`}>
                  Take out
                </Button>
              </Group>
            </Group>
          </li>
        ))}
      </ol>
      {free.length > 0 && (
        <Group align="flex-end" gap="xs">
          <NativeSelect
            style={{ flex: 1 }}
            label="Add a deployed Action"
            data={[{ value: '', label: 'Choose one' }, ...free.map(({ id, name }) => ({ value: id, label: name }))]}
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value)}
          />
          <Button
            variant="default"
            disabled={!chosen}
            onClick={() => {
              const action = free.find(({ id }) => id === chosen);
              if (action) change([...steps, { action: action.id, name: action.name }]);
              setChosen('');
            }}
          >
            Add
          </Button>
        </Group>
      )}
      {save.isError && <Failure error={save.error} />}
      {save.isSuccess && isSame && <Told>Saved. The next sign-in runs them in this order.</Told>}
      <Group justify="flex-end">
        <Button disabled={isSame} loading={save.isPending} onClick={() => save.mutate(undefined)}>
          Save order
        </Button>
      </Group>
    </Stack>
  );
}

function Flow() {
  const [trigger, setTrigger] = useState('post-login');
  const bindings = useOne<{ bindings: Binding[] }>(`actions/triggers/${trigger}/bindings?per_page=100`);
  const actions = useOne<{ actions: Action[] }>(`actions/actions?triggerId=${trigger}&per_page=100`);
  return (
    <Block title="Flow" hint="Which Actions run, from the first to the last.">
      <NativeSelect mb="md" label="Trigger" data={TRIGGERS.map(({ value, label }) => ({ value, label }))} value={trigger} onChange={(event) => setTrigger(event.currentTarget.value)} />
      <Loaded of={bindings}>
        {({ bindings: bound }) => (
          <Loaded of={actions}>
            {({ actions: all }) => <Order key={trigger} trigger={trigger} bound={bound} actions={all} />}
          </Loaded>
        )}
      </Loaded>
    </Block>
  );
}

export function Actions() {
  const [{ page = 0 }, setFilters] = useFilters();
  const actions = usePage<Action>('actions', 'actions/actions', {}, page);
  return (
    <Stack>
      <Head title="Actions" action={<NewAction />}>
        Your own code in a sign-in: it refuses, adds claims, sets session metadata, sends people elsewhere.
      </Head>
      <List
        label="Actions"
        query={actions}
        page={page}
        onPage={(next) => setFilters({ page: next })}
        keyOf={(action) => action.id}
        columns={[
          { name: 'Name', show: (action) => <ActionLink id={action.id}>{action.name}</ActionLink> },
          { name: 'Trigger', show: (action) => action.supported_triggers[0]?.id ?? '' },
          {
            name: 'State',
            show: (action) =>
              !action.deployed_version ? (
                <State tone="neutral">draft</State>
              ) : action.all_changes_deployed ? (
                <State tone="good">deployed, version {action.deployed_version.number}</State>
              ) : (
                <State tone="waiting">changed since version {action.deployed_version.number}</State>
              ),
          },
          { name: 'Changed', show: (action) => <When at={action.updated_at} /> },
        ]}
        empty={
          <Empty title="No Action yet" action={<NewAction />}>
            An Action is a function that runs at a sign-in. Begin with one that remembers in the session which application was used last.
          </Empty>
        }
      />
      <Flow />
    </Stack>
  );
}
