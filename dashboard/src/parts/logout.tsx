// The block *OpenID Connect Back-Channel Logout* of an application's settings.
//
// Auth0: authenticate › login › logout › back-channel logout. Spec: OIDC Back-Channel Logout 1.0.

import { Anchor, Checkbox, Radio, Stack, Switch, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import type { LogoutSettings } from '../types';
import { Lines } from './lines';

/** Every initiator. The first two cannot be left out where initiators are selected. */
const INITIATORS: [string, string, string][] = [
  ['rp-logout', 'RP-Logout', 'Somebody signs out at an application.'],
  ['idp-logout', 'IdP-Logout', 'The upstream provider ends its session.'],
  ['password-changed', 'Password Changed', 'The password was changed.'],
  ['session-expired', 'Session Expired', 'The session was idle too long, or too old.'],
  ['session-revoked', 'Session Revoked', 'The Management API, an Action or a person here ended it.'],
  ['account-deleted', 'Account Deleted', 'The person was deleted.'],
  ['email-identifier-changed', 'Email Identifier Changed', 'The address that they sign in with changed.'],
  ['mfa-phone-unenrolled', 'MFA Phone Unenrolled', 'The telephone of their second factor was removed.'],
  ['account-deactivated', 'Account Deactivated', 'The person was blocked.'],
];

const ALWAYS = ['rp-logout', 'idp-logout'];

export function Logout({ client, value, onChange }: { client: string; value: LogoutSettings; onChange: (value: LogoutSettings) => void }) {
  const initiators = value.backchannel_logout_initiators ?? { mode: 'custom', selected_initiators: ALWAYS };
  const selected = initiators.mode === 'custom' ? initiators.selected_initiators : INITIATORS.map(([name]) => name);
  const select = (mode: string) =>
    onChange({
      ...value,
      backchannel_logout_initiators: mode === 'all' ? { mode: 'all' } : { mode: 'custom', selected_initiators: ALWAYS },
    });
  return (
    <Stack>
      <Lines
        label="Back-Channel Logout URI"
        description="Where the logout token is posted to. One URL on each line, at most five; empty: this application is not told."
        value={value.backchannel_logout_urls ?? []}
        onChange={(backchannel_logout_urls) => onChange({ ...value, backchannel_logout_urls })}
      />
      <Radio.Group label="Back-Channel Logout Initiators" value={initiators.mode} onChange={select}>
        <Stack gap="xs" mt="xs">
          <Radio value="custom" label="Selected initiators only" description="It hears of the events that are ticked below." />
          <Radio value="all" label="All supported initiators" description="It hears of every event, also of those that are added later." />
        </Stack>
      </Radio.Group>
      {initiators.mode === 'custom' && (
        <Checkbox.Group
          label="Which events"
          value={selected}
          onChange={(chosen) =>
            onChange({ ...value, backchannel_logout_initiators: { mode: 'custom', selected_initiators: INITIATORS.map(([name]) => name).filter((name) => chosen.includes(name)) } })
          }
        >
          <Stack gap="xs" mt="xs">
            {INITIATORS.map(([name, label, description]) => (
              <Checkbox key={name} value={name} label={label} description={ALWAYS.includes(name) ? `${description} Always told.` : description} disabled={ALWAYS.includes(name)} />
            ))}
          </Stack>
        </Checkbox.Group>
      )}
      <Switch
        label="Include Session Metadata"
        description="Puts the session's metadata into the logout token, as the claim session_metadata."
        checked={value.backchannel_logout_session_metadata?.include ?? false}
        onChange={(event) => onChange({ ...value, backchannel_logout_session_metadata: { include: event.currentTarget.checked } })}
      />
      <Text size="sm">
        <Anchor component={Link} to="/deliveries" search={{ q: client } as never}>
          See what became of logout tokens
        </Anchor>
      </Text>
    </Stack>
  );
}
