// One session: what is known, its metadata, what happened in it, and its end.

import { Group, Stack, Timeline, Text } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';

import { call, id, useOne, usePage } from '../api';
import { eventName } from '../event-names';
import { Asked } from '../parts/change';
import { Metadata } from '../parts/metadata';
import { Block, ClientLink, Copied, Facts, Head, UserLink, When } from '../parts/show';
import { Empty, Loaded } from '../parts/state';
import type { LogEvent, Session } from '../types';
import { EventLink } from './log';
import { device } from './sessions';

function History({ session }: { session: string }) {
  const events = usePage<LogEvent>('logs', 'logs', { q: `session_id:"${session.replaceAll('"', '')}"` }, 0);
  return (
    <Block title="Time line" hint="The newest events of this session, from the log.">
      <Loaded of={events}>
        {({ items, total }) =>
          items.length === 0 ? (
            <Empty title="No event">The log keeps events for a limited time; this session is older, or nothing has happened yet.</Empty>
          ) : (
            <>
              <Timeline bulletSize={14} lineWidth={2}>
                {items.map((event) => (
                  <Timeline.Item key={event.log_id} title={<EventLink event={event}>{eventName(event.type)}</EventLink>}>
                    <Text size="sm">{event.description}</Text>
                    <Text size="xs" c="dimmed">
                      <When at={event.date} exact /> {event.client_name && `· ${event.client_name}`} {event.ip && `· ${event.ip}`}
                    </Text>
                  </Timeline.Item>
                ))}
              </Timeline>
              {total > items.length && (
                <Text size="sm" c="dimmed" mt="md">
                  {total - items.length} earlier ones: search the log for this session.
                </Text>
              )}
            </>
          )
        }
      </Loaded>
    </Block>
  );
}

export function OneSession() {
  const { id: session = '' } = useParams({ strict: false });
  const navigate = useNavigate();
  const query = useOne<Session>(`sessions/${id(session)}`);
  return (
    <Stack>
      <Loaded of={query}>
        {(found) => (
          <>
            <Head
              title="Session"
              action={
                <Asked
                  label="Revoke session"
                  title="Revoke this session?"
                  work={() => call('POST', `sessions/${id(found.id)}/revoke`)}
                  done={() => void navigate({ to: '/users/$id', params: { id: found.user_id } })}
                >
                  The person is signed out of it, the refresh tokens that belong to it are revoked, and every application that asked for
                  it is told.
                </Asked>
              }
            >
              <Group gap="xs">
                <span className="mono">{found.id}</span>
                <Copied text={found.id} label="the session's identifier" />
              </Group>
            </Head>
            <Block title="Details">
              <Facts
                of={[
                  ['Person', <UserLink key="user" id={found.user_id} />],
                  ['Device', device(found.device.last_user_agent)],
                  ['Address', found.device.last_ip],
                  ['First seen at', found.device.initial_ip],
                  ['Applications', found.clients.map(({ client_id }) => <div key={client_id}><ClientLink id={client_id} /></div>)],
                  ['Signed in with', found.authentication.methods.map(({ name, type }) => (type ? `${name} (${type})` : name)).join(', ')],
                  ['Signed in', <When key="at" at={found.authenticated_at} exact />],
                  ['Last seen', <When key="seen" at={found.last_interacted_at} exact />],
                  ['Ends when idle', <When key="idle" at={found.idle_expires_at} exact />],
                  ['Ends at the latest', <When key="end" at={found.expires_at} exact />],
                  ['Cookie', found.cookie.mode === 'persistent' ? 'Kept when the browser closes' : 'Gone when the browser closes'],
                ]}
              />
            </Block>
            <Block title="Metadata" hint="Small strings about this visit: seen by Actions, and in logout tokens where an application asks for them.">
              <Metadata key={found.id} session={found} />
            </Block>
          </>
        )}
      </Loaded>
      <History session={session} />
    </Stack>
  );
}
