// Sessions: a person's, or one by its identifier.

import { Button, Group, Stack, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { PAGE_ITEMS, call, id, useOne, usePage, withQuery } from '../api';
import { useFilters } from '../filters';
import { Asked } from '../parts/change';
import { List, Rows, Search } from '../parts/list';
import { Block, Head, SessionLink, UserLink, When } from '../parts/show';
import { Empty, Loaded } from '../parts/state';
import type { Session, User } from '../types';
import { userQuery } from '../user-query';

/** What a browser calls itself, in short. */
export function device(userAgent: string | null | undefined): string {
  if (!userAgent) return 'Unknown device';
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/?/.exec(userAgent)?.[1] ?? userAgent.split(/[ /]/)[0] ?? 'Unknown';
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent)?.[1];
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return system ? `${name} on ${system === 'Mac OS X' ? 'macOS' : system}` : name;
}

/** The sessions of one person, with a way to end them all. This list of the API knows checkpoints, so pages go on, not back. */
export function SessionsOf({ user }: { user: string }) {
  const [before, setBefore] = useState<string[]>([]);
  const from = before.at(-1);
  const url = withQuery(`users/${id(user)}/sessions`, { take: PAGE_ITEMS, from });
  const query = useQuery({
    queryKey: ['sessions', url],
    placeholderData: keepPreviousData,
    queryFn: () => call<{ sessions: Session[]; next?: string }>('GET', url),
  });
  return (
    <Loaded of={query}>
      {({ sessions, next }) =>
        sessions.length === 0 && before.length === 0 ? (
          <Empty title="Not signed in anywhere">
            A session begins when this person signs in at one of your applications, and holds what your Actions and your systems know
            about that one visit.
          </Empty>
        ) : (
          <Stack>
            <Rows
              label="Sessions"
              items={sessions}
              keyOf={(session) => session.id}
              columns={[
                { name: 'Session', show: (session) => <SessionLink id={session.id} /> },
                { name: 'Device', show: (session) => device(session.device.last_user_agent) },
                { name: 'Address', show: (session) => session.device.last_ip ?? 'unknown' },
                { name: 'Last seen', show: (session) => <When at={session.last_interacted_at} /> },
                { name: 'Applications', show: (session) => session.clients.length },
                { name: 'Metadata', show: (session) => `${Object.keys(session.session_metadata ?? {}).length} of 25` },
              ]}
            />
            <Group justify="space-between">
              <Asked label="End all sessions" title="End all sessions of this person?" work={() => call('DELETE', `users/${id(user)}/sessions`)}>
                They are signed out everywhere, and every application that asked for it is told.
              </Asked>
              <Group gap="xs">
                <Button variant="default" size="xs" disabled={before.length === 0} onClick={() => setBefore(before.slice(0, -1))}>
                  Previous
                </Button>
                <Button variant="default" size="xs" disabled={!next} onClick={() => next && setBefore([...before, next])}>
                  Next
                </Button>
              </Group>
            </Group>
          </Stack>
        )
      }
    </Loaded>
  );
}

function OfUser({ user }: { user: string }) {
  const query = useOne<User>(`users/${id(user)}`);
  return (
    <Loaded of={query}>
      {(found) => (
        <Block title={`Sessions of ${found.name ?? found.email ?? found.user_id}`} hint={<UserLink id={found.user_id}>See the person</UserLink>}>
          <SessionsOf user={found.user_id} />
        </Block>
      )}
    </Loaded>
  );
}

function OpenOne() {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) void navigate({ to: '/sessions/$id', params: { id: text.trim() } });
      }}
    >
      <Group align="flex-end" gap="xs">
        <TextInput
          style={{ flex: 1 }}
          label="Session identifier"
          description="As in the claim sid of an ID token, or in a log event"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" variant="default">
          Open
        </Button>
      </Group>
    </form>
  );
}

export function Sessions() {
  const [{ q = '', page = 0, user }, setFilters] = useFilters();
  const people = usePage<User>('users', 'users', { q: userQuery(q) }, page);
  return (
    <>
      <Head title="Sessions">Who is signed in, on which device, and what is known about that visit. Start with the person.</Head>
      <Stack>
        <Search
          label="Find a person"
          hint="A whole address, an identifier such as auth0|…, the beginning of a name, or a query such as email:ann*"
          value={q}
          onSearch={(text) => setFilters({ q: text })}
        />
        {user ? (
          <OfUser user={user} />
        ) : (
          <Block title={q ? 'People found' : 'People'}>
            <List
              label="People"
              query={people}
              page={page}
              onPage={(next) => setFilters({ q, page: next })}
              keyOf={(person) => person.user_id}
              columns={[
                { name: 'Person', show: (person) => <UserLink id={person.user_id}>{person.name ?? person.email ?? person.user_id}</UserLink> },
                { name: 'Address', show: (person) => person.email ?? '' },
                { name: 'Last sign-in', show: (person) => <When at={person.last_login} /> },
                {
                  name: 'Sessions',
                  show: (person) => (
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => setFilters({ q, user: person.user_id })}
                      aria-label={`Sessions of ${person.email ?? person.user_id}`}
                    >
                      Show
                    </Button>
                  ),
                },
              ]}
              empty={<Empty title={q ? 'Nobody found' : 'Nobody yet'}>{q ? 'Try the whole address, or less of the name.' : 'People appear here once they sign up or you create them.'}</Empty>}
            />
          </Block>
        )}
        <Block title="Open one session">
          <OpenOne />
        </Block>
      </Stack>
    </>
  );
}
