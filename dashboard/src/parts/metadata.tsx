// The editor of a session's metadata: limits while typing, a warning on what looks like a secret.

import { Alert, Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';

import { call, id } from '../api';
import { ENTRIES_MAX, type Entry, UNITS_MAX, keyProblem, looksSecret, valueProblem } from '../metadata-rules';
import type { Session } from '../types';
import { Told, useChange } from './change';
import { Failure } from './state';

const entriesOf = (metadata: Session['session_metadata']): Entry[] => Object.entries(metadata ?? {}).map(([key, value]) => ({ key, value }));

export function Metadata({ session }: { session: Session }) {
  const [entries, setEntries] = useState(entriesOf(session.session_metadata));
  const [shown, setShown] = useState<ReadonlySet<string>>(new Set());
  const [knowing, setKnowing] = useState(false);
  const save = useChange(
    (metadata: Record<string, string>) => call<Session>('PATCH', `sessions/${id(session.id)}`, { session_metadata: metadata }),
    (changed) => setEntries(entriesOf(changed.session_metadata)),
  );
  const stored = session.session_metadata ?? {};
  const set = (at: number, change: Partial<Entry>) => {
    save.reset();
    setEntries(entries.map((entry, index) => (index === at ? { ...entry, ...change } : entry)));
  };
  const isBad = entries.some((entry) => keyProblem(entry.key, entries) ?? valueProblem(entry.value)) || entries.length > ENTRIES_MAX;
  const secrets = entries.filter(looksSecret);
  const isSame = entries.length === Object.keys(stored).length && entries.every(({ key, value }) => stored[key] === value);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(Object.fromEntries(entries.map(({ key, value }) => [key, value])));
      }}
    >
      <Stack gap="sm">
        <Text size="sm" c={entries.length > ENTRIES_MAX ? 'var(--mantine-color-error)' : 'dimmed'} aria-live="polite">
          {entries.length} of {ENTRIES_MAX} entries
        </Text>
        {entries.length === 0 && (
          <Text size="sm" c="dimmed">
            Nothing yet. Actions set entries with <code>api.session.setMetadata(key, value)</code>; you can add some here.
          </Text>
        )}
        {entries.map((entry, at) => {
          const isHidden = looksSecret(entry) && stored[entry.key] === entry.value && !shown.has(entry.key);
          return (
            <Group key={at} align="flex-start" gap="xs" wrap="wrap">
              <TextInput
                style={{ flex: '1 1 180px' }}
                label={`Key ${at + 1}`}
                value={entry.key}
                error={keyProblem(entry.key, entries)}
                description={`${entry.key.length} of ${UNITS_MAX}`}
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                onChange={(event) => set(at, { key: event.currentTarget.value })}
              />
              <TextInput
                style={{ flex: '2 1 240px' }}
                label={`Value ${at + 1}`}
                type={isHidden ? 'password' : 'text'}
                autoComplete="off"
                value={entry.value}
                error={valueProblem(entry.value)}
                description={`${entry.value.length} of ${UNITS_MAX}`}
                inputWrapperOrder={['label', 'input', 'description', 'error']}
                onChange={(event) => set(at, { value: event.currentTarget.value })}
              />
              <Group gap="xs" pt={25}>
                {isHidden && (
                  <Button variant="default" onClick={() => setShown(new Set([...shown, entry.key]))} aria-label={`Show value ${at + 1}`}>
                    Show
                  </Button>
                )}
                <Button variant="default" aria-label={`Remove entry ${at + 1}`} onClick={() => setEntries(entries.filter((_, index) => index !== at))}>
                  Remove
                </Button>
              </Group>
            </Group>
          );
        })}
        {secrets.length > 0 && (
          <Alert color="orange" variant="outline" title="This looks like a secret" role="alert">
            <Stack gap="xs">
              <Text size="sm">
                {secrets.map(({ key }) => key || 'an entry without a key').join(', ')}: metadata is no secure store. Whoever may read
                sessions reads it, Actions read it, and it is sent to applications in logout tokens where they ask for it.
              </Text>
              <Checkbox label="It is no secret, or I know what I am doing" checked={knowing} onChange={(event) => setKnowing(event.currentTarget.checked)} />
            </Stack>
          </Alert>
        )}
        {save.isError && <Failure error={save.error} />}
        {save.isSuccess && isSame && <Told>Saved. Every application sees it from its next token on.</Told>}
        <Group justify="space-between">
          <Button variant="default" disabled={entries.length >= ENTRIES_MAX} onClick={() => setEntries([...entries, { key: '', value: '' }])}>
            Add an entry
          </Button>
          <Group gap="xs">
            <Button variant="default" disabled={isSame} onClick={() => setEntries(entriesOf(session.session_metadata))}>
              Undo
            </Button>
            <Button type="submit" loading={save.isPending} disabled={isBad || isSame || (secrets.length > 0 && !knowing)}>
              Save metadata
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
