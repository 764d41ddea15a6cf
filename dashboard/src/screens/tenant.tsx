// Tenant settings: names, how long sessions live, what a sign-out does.

import { NumberInput, Radio, Stack, Switch, TextInput } from '@mantine/core';

import { call, useOne } from '../api';
import { differences, DraftForm, useDraft } from '../parts/draft';
import { Lines } from '../parts/lines';
import { Block, Head } from '../parts/show';
import { Loaded } from '../parts/state';
import type { Tenant } from '../types';

const EDITED = [
  'friendly_name', 'picture_url', 'support_email', 'support_url', 'session_lifetime', 'idle_session_lifetime', 'session_cookie', 'sessions',
  'oidc_logout', 'allowed_logout_urls', 'include_session_metadata_in_tenant_logs',
] as const;

/** An empty text clears. */
function changesOf(before: Tenant, draft: Tenant): Record<string, unknown> {
  const changes = Object.entries(differences(before, draft, EDITED));
  return Object.fromEntries(changes.map(([name, value]) => [name, value === '' ? null : value]));
}

function Settings({ tenant }: { tenant: Tenant }) {
  const editing = useDraft(tenant, changesOf, (changes) => call<Tenant>('PATCH', 'tenants/settings', changes));
  const { draft, set } = editing;
  return (
    <DraftForm of={editing}>
      <Block title="Names" hint="What people see on the sign-in pages.">
        <Stack>
          <TextInput label="Friendly name" value={draft.friendly_name} onChange={(event) => set({ friendly_name: event.currentTarget.value })} />
          <TextInput label="Logo" description="URL of a picture" type="url" value={draft.picture_url} onChange={(event) => set({ picture_url: event.currentTarget.value })} />
          <TextInput label="Support email" type="email" value={draft.support_email} onChange={(event) => set({ support_email: event.currentTarget.value })} />
          <TextInput label="Support page" type="url" value={draft.support_url} onChange={(event) => set({ support_url: event.currentTarget.value })} />
        </Stack>
      </Block>
      <Block title="Sessions">
        <Stack>
          <NumberInput label="Ends at the latest, after hours" min={1} max={8760} allowDecimal={false} value={draft.session_lifetime} onChange={(hours) => set({ session_lifetime: Number(hours) })} />
          <NumberInput label="Ends when idle, after hours" min={1} max={2400} allowDecimal={false} value={draft.idle_session_lifetime} onChange={(hours) => set({ idle_session_lifetime: Number(hours) })} />
          <Radio.Group label="Cookie" value={draft.session_cookie.mode} onChange={(mode) => set({ session_cookie: { mode } })}>
            <Stack gap="xs" mt="xs">
              <Radio value="persistent" label="Persistent" description="Kept when the browser closes." />
              <Radio value="non-persistent" label="Non-persistent" description="Gone when the browser closes." />
            </Stack>
          </Radio.Group>
          <Switch
            label="Let applications watch the session from a frame"
            description="OpenID Connect Session Management."
            checked={draft.sessions.oidc_session_management_enabled}
            onChange={(event) => set({ sessions: { ...draft.sessions, oidc_session_management_enabled: event.currentTarget.checked } })}
          />
          <Switch
            label="Session metadata in logout events of the log"
            checked={draft.include_session_metadata_in_tenant_logs}
            onChange={(event) => set({ include_session_metadata_in_tenant_logs: event.currentTarget.checked })}
          />
        </Stack>
      </Block>
      <Block title="Sign-out">
        <Stack>
          <Switch
            label="Ask before signing out where the application does not say whom"
            checked={draft.sessions.oidc_logout_prompt_enabled}
            onChange={(event) => set({ sessions: { ...draft.sessions, oidc_logout_prompt_enabled: event.currentTarget.checked } })}
          />
          <Switch
            label="Name the sign-out endpoint in the discovery document"
            checked={draft.oidc_logout.rp_logout_end_session_endpoint_discovery}
            onChange={(event) => set({ oidc_logout: { rp_logout_end_session_endpoint_discovery: event.currentTarget.checked } })}
          />
          <Lines label="Allowed Logout URLs" description="For every application. One on each line." value={draft.allowed_logout_urls} onChange={(allowed_logout_urls) => set({ allowed_logout_urls })} />
        </Stack>
      </Block>
    </DraftForm>
  );
}

export function TenantSettings() {
  const query = useOne<Tenant>('tenants/settings');
  return (
    <>
      <Head title="Tenant settings">What holds for every application.</Head>
      <Loaded of={query}>{(tenant) => <Settings tenant={tenant} />}</Loaded>
    </>
  );
}
