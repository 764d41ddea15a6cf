// What stands in a screen's place while there is nothing to show: waiting, a failure, nothing yet.

import { Alert, Button, Center, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { ApiError } from '../api';

/** What to do about a failure, where the API's own words do not say it. */
function advice(error: unknown): string {
  if (error instanceof ApiError) {
    if (error.status === 404) return 'It may have been deleted, or it has ended. Go back to the list to see what is there.';
    if (error.status === 403) return 'You lack the permission for this. Whoever runs this server can name you as an administrator.';
    if (error.status === 429) return 'Too many requests at once. Wait a moment, then try again.';
    if (error.status >= 500) return 'The server has a problem; its own log tells more. Try again in a moment.';
    return 'Change what the message names, then try again. Nothing was changed.';
  }
  return 'The server does not answer. See whether it runs and whether you are connected, then try again.';
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const message = error instanceof ApiError ? error.message : 'The request failed.';
  return (
    <Alert color="red" variant="outline" title={message} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{advice(error)}</Text>
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <Paper withBorder p="xl">
      <Stack align="center" gap="xs" ta="center" maw={560} mx="auto">
        <Title order={3} size="h4">
          {title}
        </Title>
        <Text c="dimmed" size="sm" component="div">
          {children}
        </Text>
        {action}
      </Stack>
    </Paper>
  );
}

/** Shows what came, or why nothing came. */
export function Loaded<T>({ of, children }: { of: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (of.data !== undefined && !of.isError) return <>{children(of.data)}</>;
  if (of.isError) return <Failure error={of.error} retry={() => void of.refetch()} />;
  return (
    <Center p="xl" role="status" aria-label="Loading">
      <Loader />
    </Center>
  );
}
