// What is around every screen: the menu, who is signed in, light and dark.

import { AppShell, Burger, Button, Group, NavLink, Stack, Text, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';

import { identity, signOut } from './sign-in';

const MENU: [string, string][] = [
  ['/', 'Getting started'],
  ['/applications', 'Applications'],
  ['/users', 'Users'],
  ['/sessions', 'Sessions'],
  ['/actions', 'Actions'],
  ['/logs', 'Logs'],
  ['/deliveries', 'Logout deliveries'],
  ['/tenant', 'Tenant settings'],
];

export function Shell() {
  const [open, { toggle, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const who = identity();
  const isHere = (to: string) => (to === '/' ? path === '/' : path.startsWith(to));
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 230, breakpoint: 'sm', collapsed: { mobile: !open } }} padding={{ base: 'sm', sm: 'lg' }} transitionDuration={0}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <img src="/manage/icon.svg" alt="" width={26} height={26} />
            <Text fw={650}>Vestibule</Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Text size="sm" visibleFrom="md">
              {who?.email ?? who?.name ?? who?.sub}
            </Text>
            <Button size="xs" variant="default" onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
              {scheme === 'dark' ? 'Light' : 'Dark'}
            </Button>
            <Button size="xs" variant="default" onClick={signOut}>
              Sign out
            </Button>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Main">
        <Stack gap={2}>
          {MENU.map(([to, label]) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              active={isHere(to)}
              variant="light"
              color="indigo"
              aria-current={isHere(to) ? 'page' : undefined}
              onClick={close}
              style={{ borderRadius: 8, color: 'var(--mantine-color-text)' }}
            />
          ))}
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} style={{ outline: 'none' }}>
        <div style={{ maxWidth: 1080, margin: '0 auto' }}>
          <Outlet />
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
