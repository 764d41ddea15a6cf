// The log: search it, read one event whole, and go on to what it names.

import { Anchor, Stack } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { id, useOne, usePage } from '../api';
import { eventName } from '../event-names';
import { useFilters } from '../filters';
import { List, Search } from '../parts/list';
import { Block, ClientLink, Facts, Head, Json, SessionLink, State, UserLink, When } from '../parts/show';
import { Empty, Loaded } from '../parts/state';
import type { LogEvent } from '../types';

export const EventLink = ({ event, children }: { event: LogEvent; children: ReactNode }) => (
  <Anchor component={Link} to="/logs/$id" params={{ id: event.log_id } as never}>
    {children}
  </Anchor>
);

const isFailure = (type: string) => /^f[a-z]*$/.test(type) || type.endsWith('_failed') || type === 'w';

export function Logs() {
  const [{ q = '', page = 0 }, setFilters] = useFilters();
  const events = usePage<LogEvent>('logs', 'logs', { q: q || undefined }, page);
  return (
    <>
      <Head title="Logs">Everything that happened: sign-ins and their failures, changes through the Management API, deliveries.</Head>
      <Search
        label="Search the log"
        hint={
          <>
            Any word, or fields joined by AND, OR and NOT: <code>type:(s OR f)</code>, <code>user_id:"auth0|…"</code>,{' '}
            <code>ip:10.0.*</code>, <code>session_id:*</code>, <code>date:[2026-11-01 TO *]</code>
          </>
        }
        value={q}
        onSearch={(text) => setFilters({ q: text })}
      />
      <List
        label="Events"
        query={events}
        page={page}
        onPage={(next) => setFilters({ q, page: next })}
        keyOf={(event) => event.log_id}
        columns={[
          { name: 'Event', show: (event) => <EventLink event={event}>{eventName(event.type)}</EventLink> },
          { name: 'Outcome', show: (event) => <State tone={isFailure(event.type) ? 'bad' : 'good'}>{isFailure(event.type) ? 'failed' : 'fine'}</State> },
          { name: 'What', show: (event) => event.description ?? '' },
          { name: 'Who', show: (event) => (event.user_id ? <UserLink id={event.user_id}>{event.user_name ?? event.user_id}</UserLink> : '') },
          { name: 'Application', show: (event) => event.client_name ?? '' },
          { name: 'When', show: (event) => <When at={event.date} /> },
        ]}
        empty={
          <Empty title={q ? 'No event matches' : 'Nothing happened yet'}>
            {q ? 'Take a condition away, or end a word with * to match its beginning.' : 'Sign in at an application, and the events of it appear here.'}
          </Empty>
        }
      />
    </>
  );
}

export function OneEvent() {
  const { id: event = '' } = useParams({ strict: false });
  const query = useOne<LogEvent>(`logs/${id(event)}`);
  return (
    <Loaded of={query}>
      {(found) => (
        <Stack>
          <Head title={eventName(found.type)}>{found.description}</Head>
          <Block title="Details">
            <Facts
              of={[
                ['When', <When key="when" at={found.date} exact />],
                ['Code', <code key="code">{found.type}</code>],
                ['Person', found.user_id && <UserLink key="user" id={found.user_id}>{found.user_name ?? found.user_id}</UserLink>],
                ['Application', found.client_id && <ClientLink key="client" id={found.client_id}>{found.client_name ?? found.client_id}</ClientLink>],
                ['Session', found.session_id && <SessionLink key="session" id={found.session_id} />],
                [
                  'Executions of Actions',
                  found.details?.actions?.executions?.length
                    ? found.details.actions.executions.map((execution) => (
                        <div key={execution}>
                          <Anchor className="mono" component={Link} to="/executions/$id" params={{ id: execution } as never}>
                            {execution}
                          </Anchor>
                        </div>
                      ))
                    : undefined,
                ],
                ['Address', found.ip],
                ['Browser', found.user_agent],
              ]}
            />
          </Block>
          <Block title="The whole event" hint="As the Management API and log streams give it.">
            <Json value={found} label="The whole event" />
          </Block>
        </Stack>
      )}
    </Loaded>
  );
}
