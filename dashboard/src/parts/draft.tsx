// Settings that are changed in a draft and saved together: only what was changed is sent, so that nothing else is
// written back as it was a while ago.

import { Button, Group, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import { Told, useChange } from './change';
import { Failure } from './state';

type Changes = Record<string, unknown>;

/** The named properties that differ. */
export function differences<T>(before: T, draft: T, names: readonly (keyof T & string)[]): Changes {
  const different = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(draft[name]));
  return Object.fromEntries(different.map((name) => [name, draft[name]]));
}

/** A draft of what the server has, the way to change it, and the way to save it. `save` answers what the server has then. */
export function useDraft<T>(now: T, changesOf: (before: T, draft: T) => Changes, save: (changes: Changes) => Promise<T>) {
  const [draft, setDraft] = useState(now);
  const changes = changesOf(now, draft);
  const saving = useChange(() => save(changes), setDraft);
  const set = (change: Partial<T>) => {
    saving.reset();
    setDraft((before) => ({ ...before, ...change }));
  };
  return { draft, set, saving, isSame: Object.keys(changes).length === 0 };
}

interface DraftFormProps {
  of: Pick<ReturnType<typeof useDraft>, 'saving' | 'isSame'>;
  /** What can be done beside saving. */
  beside?: ReactNode;
  children: ReactNode;
}

export function DraftForm({ of: { saving, isSame }, beside, children }: DraftFormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(undefined);
      }}
    >
      <Stack>
        {children}
        {saving.isError && <Failure error={saving.error} />}
        {saving.isSuccess && isSame && <Told>Saved.</Told>}
        <Group justify={beside ? 'space-between' : 'flex-end'}>
          {beside}
          <Button type="submit" loading={saving.isPending} disabled={isSame}>
            Save Changes
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
