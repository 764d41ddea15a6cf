// Changes: running one, telling how it went, and asking first where it cannot be taken back.

import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

import { Failure } from './state';

/** A change at the server. Afterwards everything that is shown is asked for again: what else it changed is the server's to know. */
export function useChange<I, O>(work: (input: I) => Promise<O>, done?: (output: O) => void) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: work,
    onSuccess: async (output) => {
      await cache.invalidateQueries();
      done?.(output);
    },
  });
}

export const Told = ({ children }: { children: ReactNode }) => (
  <Alert color="teal" variant="outline" role="status">
    <Text size="sm">{children}</Text>
  </Alert>
);

interface AskedProps {
  label: string;
  title: string;
  children: ReactNode;
  work: () => Promise<unknown>;
  done?: () => void;
  size?: string;
}

/** A button whose change is asked about first. */
export function Asked({ label, title, children, work, done, size = 'sm' }: AskedProps) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const change = useChange(
    () => work(),
    () => {
      close();
      done?.();
    },
  );
  return (
    <>
      <Button color="red" variant="outline" size={size} onClick={() => setOpen(true)} style={{ color: 'var(--mantine-color-error)' }}>
        {label}
      </Button>
      <Modal opened={open} onClose={close} title={title} centered closeButtonProps={{ 'aria-label': 'Close' }}>
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          {change.isError && <Failure error={change.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              Keep
            </Button>
            <Button color="red.9" loading={change.isPending} onClick={() => change.mutate(undefined)}>
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
