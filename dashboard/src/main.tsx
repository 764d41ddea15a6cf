// The start: signs in, then shows the screen of the address; or says why not.

import '@mantine/core/styles.css';
import './style.css';

import { Alert, Button, Center, Group, MantineProvider, Stack, Text } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

import { ApiError } from './api';
import { router } from './router';
import { goAndSignIn, identity, isAdministrator, signIn, signOut } from './sign-in';
import { theme } from './theme';

const cache = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 5_000, retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status < 500) },
  },
});

const place = document.getElementById('root');
const root = place && createRoot(place);
const show = (content: ReactNode) =>
  root?.render(
    <MantineProvider theme={theme} defaultColorScheme="auto">
      {content}
    </MantineProvider>,
  );

const Notice = ({ title, children }: { title: string; children: ReactNode }) => (
  <Center component="main" mih="100vh" p="md">
    <Alert title={title} color="indigo" variant="outline" role="alert" maw={520}>
      <Stack gap="md" align="flex-start">
        {children}
        <Group gap="xs">
          <Button onClick={() => void goAndSignIn(true)}>Sign in as somebody else</Button>
          {identity() && (
            <Button variant="default" onClick={signOut}>
              Sign out
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  </Center>
);

try {
  await signIn();
  show(
    isAdministrator() ? (
      <QueryClientProvider client={cache}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    ) : (
      <Notice title="You are not an administrator">
        <Text size="sm">
          {identity()?.email ?? identity()?.sub} may sign in, but not manage this server. Whoever runs it can name this account in
          server.administrators, as {identity()?.sub}.
        </Text>
      </Notice>
    ),
  );
} catch (error) {
  show(
    <Notice title="You are not signed in">
      <Text size="sm">{error instanceof Error ? error.message : 'The server does not answer.'}</Text>
    </Notice>,
  );
}
