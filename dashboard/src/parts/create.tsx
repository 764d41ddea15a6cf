// Making something: a button that opens a form, and where the form leads once the thing is made.

import { Button, Modal, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import { useChange } from './change';
import { Failure } from './state';

interface CreateProps<T> {
  label: string;
  title: string;
  /** Whether the form is filled in. */
  ready: boolean;
  work: () => Promise<T>;
  done: (made: T) => void;
  children: ReactNode;
}

export function Create<T>({ label, title, ready, work, done, children }: CreateProps<T>) {
  const [open, setOpen] = useState(false);
  const create = useChange(() => work(), done);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{label}</Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={title} centered closeButtonProps={{ 'aria-label': 'Close' }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate(undefined);
          }}
        >
          <Stack>
            {children}
            {create.isError && <Failure error={create.error} />}
            <Button type="submit" loading={create.isPending} disabled={!ready}>
              Create
            </Button>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
