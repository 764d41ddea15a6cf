// One Action: its code, a run with an event of one's own, and deploying it.

import { Alert, Button, Group, Skeleton, Stack, Textarea } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { Suspense, lazy, useState } from 'react';

import { call, id, useOne } from '../api';
import { Asked, Told, useChange } from '../parts/change';
import { Block, Head, Json } from '../parts/show';
import { Failure, Loaded } from '../parts/state';
import type { Action } from '../types';

const Editor = lazy(() => import('../parts/editor'));

const EVENT = JSON.stringify(
  {
    user: { user_id: 'auth0|test', email: 'ann@example.com', app_metadata: {}, user_metadata: {} },
    client: { client_id: 'test', name: 'Test application', metadata: {} },
    session: { id: 'test', metadata: {} },
    request: { ip: '192.0.2.1', user_agent: 'Test', query: {}, body: {} },
  },
  null,
  2,
);

interface TestRun {
  payload: { error?: { name: string; message: string }; [other: string]: unknown };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function Test({ action, isSaved }: { action: Action; isSaved: boolean }) {
  const [text, setText] = useState(EVENT);
  const event = parsed(text);
  const isObject = typeof event === 'object' && event !== null && !Array.isArray(event);
  const run = useChange(() => call<TestRun>('POST', `actions/actions/${id(action.id)}/test`, { payload: { event } }));
  const failed = run.data?.payload.error;
  return (
    <Block title="Test" hint="Runs the saved draft with this event. Nothing comes of its commands.">
      <Stack>
        <Textarea
          label="Event"
          autosize
          minRows={6}
          maxRows={16}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          value={text}
          error={isObject ? undefined : 'This is no JSON object: look for a missing comma or quote.'}
          onChange={(change) => setText(change.currentTarget.value)}
        />
        <Group>
          <Button variant="default" disabled={!isObject || !isSaved} loading={run.isPending} onClick={() => run.mutate(undefined)}>
            Run
          </Button>
          {!isSaved && 'Save the draft first.'}
        </Group>
        {run.isError && <Failure error={run.error} />}
        {failed && (
          <Alert color="red" variant="outline" title={`${failed.name}: ${failed.message}`} role="alert">
            The Action threw. In a sign-in, it would end with access_denied.
          </Alert>
        )}
        {run.data && !failed && <Told>It ran to its end.</Told>}
        {run.data && <Json value={run.data.payload} label="What the run gave" />}
      </Stack>
    </Block>
  );
}

function Whole({ action }: { action: Action }) {
  const navigate = useNavigate();
  const [code, setCode] = useState(action.code);
  const path = `actions/actions/${id(action.id)}`;
  const save = useChange(() => call<Action>('PATCH', path, { code }));
  const deploy = useChange(async () => {
    if (code !== action.code) await call<Action>('PATCH', path, { code });
    return call<{ number: number }>('POST', `${path}/deploy`);
  });
  const isSaved = code === action.code;
  return (
    <Stack>
      <Block title="Code" hint="JavaScript or TypeScript.">
        <Stack>
          <Suspense fallback={<Skeleton height={320} />}>
            <Editor
              label="Code of the Action"
              value={code}
              onChange={(text) => {
                save.reset();
                deploy.reset();
                setCode(text);
              }}
            />
          </Suspense>
          {save.isError && <Failure error={save.error} />}
          {deploy.isError && <Failure error={deploy.error} />}
          {save.isSuccess && isSaved && !deploy.isSuccess && <Told>Draft saved. It runs once it is deployed.</Told>}
          {deploy.isSuccess && <Told>Deployed as version {deploy.data.number}. It runs where the flow names it.</Told>}
          <Group justify="space-between">
            <Asked label="Delete Action" title={`Delete ${action.name}?`} work={() => call('DELETE', `${path}?force=true`)} done={() => void navigate({ to: '/actions' })}>
              Its versions and its place in the flow go with it. This cannot be taken back.
            </Asked>
            <Group gap="xs">
              <Button variant="default" disabled={isSaved} loading={save.isPending} onClick={() => save.mutate(undefined)}>
                Save draft
              </Button>
              <Button loading={deploy.isPending} disabled={isSaved && action.all_changes_deployed} onClick={() => deploy.mutate(undefined)}>
                Deploy
              </Button>
            </Group>
          </Group>
        </Stack>
      </Block>
      <Test action={action} isSaved={isSaved} />
    </Stack>
  );
}

export function OneAction() {
  const { id: action = '' } = useParams({ strict: false });
  const query = useOne<Action>(`actions/actions/${id(action)}`);
  return (
    <Loaded of={query}>
      {(found) => (
        <>
          <Head title={found.name}>
            Trigger {found.supported_triggers[0]?.id}
            {found.deployed_version ? `, version ${found.deployed_version.number} is deployed` : ', not deployed yet'}
          </Head>
          <Whole key={found.id} action={found} />
        </>
      )}
    </Loaded>
  );
}

export function Execution() {
  const { id: execution = '' } = useParams({ strict: false });
  const query = useOne<Record<string, unknown>>(`actions/executions/${id(execution)}`);
  return (
    <>
      <Head title="Execution">What the Actions of one trigger did: console, commands, errors, time.</Head>
      <Loaded of={query}>{(found) => <Json value={found} label="Execution" />}</Loaded>
    </>
  );
}
