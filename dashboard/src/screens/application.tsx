// One application: its settings, and how it hears of logouts.

import { Checkbox, Group, NumberInput, PasswordInput, Select, Stack, Switch, TextInput } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';

import { call, id, useOne } from '../api';
import { Asked } from '../parts/change';
import { differences, DraftForm, useDraft } from '../parts/draft';
import { Lines } from '../parts/lines';
import { Logout } from '../parts/logout';
import { Block, Copied, Facts, Head } from '../parts/show';
import { Loaded } from '../parts/state';
import type { Client } from '../types';
import { typeName } from './applications';

const GRANTS: [string, string][] = [
  ['authorization_code', 'Authorization code: people sign in'],
  ['refresh_token', 'Refresh token: stays signed in without the person'],
  ['client_credentials', 'Client credentials: acts on its own behalf'],
];
const METHODS = [
  { value: 'client_secret_post', label: 'Secret in the body' },
  { value: 'client_secret_basic', label: 'Secret in the header (Basic)' },
  { value: 'none', label: 'None: a public client' },
];

interface PartProps {
  draft: Client;
  set: (change: Partial<Client>) => void;
}

function Names({ draft, set }: PartProps) {
  return (
    <Block title="Basic information">
      <Stack>
        <TextInput label="Name" required value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />
        <TextInput
          label="Description"
          description={`${(draft.description ?? '').length} of 140 characters`}
          maxLength={140}
          value={draft.description ?? ''}
          onChange={(event) => set({ description: event.currentTarget.value })}
        />
        <Facts
          of={[
            ['Type', typeName(draft.app_type)],
            ['Client identifier', <Group key="id" gap="xs"><span className="mono">{draft.client_id}</span><Copied text={draft.client_id} label="the client identifier" /></Group>],
          ]}
        />
        {draft.client_secret && draft.token_endpoint_auth_method !== 'none' && (
          <Group align="flex-end" gap="xs">
            <PasswordInput
              style={{ flex: 1 }}
              label="Client secret"
              readOnly
              value={draft.client_secret}
              visibilityToggleButtonProps={{ 'aria-label': 'Show the secret', tabIndex: 0 }}
            />
            <Copied text={draft.client_secret} label="the client secret" />
          </Group>
        )}
      </Stack>
    </Block>
  );
}

function Addresses({ draft, set }: PartProps) {
  return (
    <Block title="Application URIs" hint="One on each line, compared exactly.">
      <Stack>
        <Lines label="Allowed Callback URLs" description="Where people are sent back to after they signed in." value={draft.callbacks ?? []} onChange={(callbacks) => set({ callbacks })} />
        <Lines label="Allowed Logout URLs" description="Where people may be sent after they signed out." value={draft.allowed_logout_urls ?? []} onChange={(allowed_logout_urls) => set({ allowed_logout_urls })} />
        <Lines label="Allowed Web Origins" description="Origins whose pages may renew tokens silently in a frame." value={draft.web_origins ?? []} onChange={(web_origins) => set({ web_origins })} />
      </Stack>
    </Block>
  );
}

function Tokens({ draft, set }: PartProps) {
  const refresh = draft.refresh_token;
  return (
    <Block title="Grants and tokens">
      <Stack>
        <Checkbox.Group label="Grant types" value={draft.grant_types} onChange={(grant_types) => set({ grant_types })}>
          <Stack gap="xs" mt="xs">
            {GRANTS.map(([value, label]) => (
              <Checkbox key={value} value={value} label={label} />
            ))}
          </Stack>
        </Checkbox.Group>
        <Select
          label="How it proves itself at the token endpoint"
          data={METHODS}
          value={draft.token_endpoint_auth_method ?? null}
          placeholder="By header or body, as it likes"
          onChange={(method) => method && set({ token_endpoint_auth_method: method })}
        />
        <NumberInput
          label="ID token lifetime, in seconds"
          min={1}
          max={2_592_000}
          value={draft.jwt_configuration.lifetime_in_seconds}
          onChange={(seconds) => set({ jwt_configuration: { ...draft.jwt_configuration, lifetime_in_seconds: Number(seconds) } })}
        />
        <Switch
          label="Rotate refresh tokens"
          description="Each use gives a new one; using an old one again ends the session."
          checked={refresh.rotation_type === 'rotating'}
          onChange={(event) => {
            const rotates = event.currentTarget.checked;
            // A rotating token must expire.
            set({ refresh_token: { ...refresh, rotation_type: rotates ? 'rotating' : 'non-rotating', ...(rotates && { expiration_type: 'expiring' }) } });
          }}
        />
        {refresh.rotation_type === 'rotating' && (
          <NumberInput
            label="Leeway for a lost answer, in seconds"
            min={0}
            value={refresh.leeway}
            onChange={(leeway) => set({ refresh_token: { ...refresh, leeway: Number(leeway) } })}
          />
        )}
      </Stack>
    </Block>
  );
}

const EDITED = [
  'name', 'description', 'callbacks', 'allowed_logout_urls', 'web_origins', 'grant_types', 'token_endpoint_auth_method',
  'refresh_token', 'oidc_logout',
] as const;

function changesOf(before: Client, draft: Client): Record<string, unknown> {
  const changes = differences(before, draft, EDITED);
  const lifetime_in_seconds = draft.jwt_configuration.lifetime_in_seconds;
  const isSame = before.jwt_configuration.lifetime_in_seconds === lifetime_in_seconds;
  return isSame ? changes : { ...changes, jwt_configuration: { lifetime_in_seconds } };
}

function Settings({ client }: { client: Client }) {
  const navigate = useNavigate();
  const path = `clients/${id(client.client_id)}`;
  const editing = useDraft(client, changesOf, (changes) => call<Client>('PATCH', path, changes));
  const { draft, set } = editing;
  return (
    <DraftForm
      of={editing}
      beside={
        <Asked
          label="Delete application"
          title={`Delete ${client.name}?`}
          work={() => call('DELETE', path)}
          done={() => void navigate({ to: '/applications' })}
        >
          Nobody can sign in to it any more, and its grants go with it. This cannot be taken back.
        </Asked>
      }
    >
      <Names draft={draft} set={set} />
      <Addresses draft={draft} set={set} />
      <Tokens draft={draft} set={set} />
      <Block title="OpenID Connect Back-Channel Logout" hint="Tells this application at once, from server to server, when a session ends that it takes part in.">
        <Logout client={client.client_id} value={draft.oidc_logout ?? {}} onChange={(oidc_logout) => set({ oidc_logout })} />
      </Block>
    </DraftForm>
  );
}

export function OneApplication() {
  const { id: client = '' } = useParams({ strict: false });
  const query = useOne<Client>(`clients/${id(client)}`);
  return (
    <Loaded of={query}>
      {(found) => (
        <>
          <Head title={found.name}>{typeName(found.app_type)}</Head>
          <Settings key={found.client_id} client={found} />
        </>
      )}
    </Loaded>
  );
}
