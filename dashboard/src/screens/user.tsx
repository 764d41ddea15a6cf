// One person: who they are, where they are signed in, what happened; block and delete.

import { Button, Group, Stack } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';

import { call, id, useOne, usePage } from '../api';
import { eventName } from '../event-names';
import { Asked, useChange } from '../parts/change';
import { Rows } from '../parts/list';
import { Block, Copied, Facts, Head, Json, SessionLink, State, When } from '../parts/show';
import { Empty, Failure, Loaded } from '../parts/state';
import type { LogEvent, User } from '../types';
import { EventLink } from './log';
import { SessionsOf } from './sessions';
import { setBlocked } from './users';

function Recent({ user }: { user: string }) {
  const events = usePage<LogEvent>('logs', `users/${id(user)}/logs`, {}, 0);
  return (
    <Loaded of={events}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="Nothing happened yet">The first sign-in, and whatever follows, appears here.</Empty>
        ) : (
          <Rows
            label="What happened"
            items={items}
            keyOf={(event) => event.log_id}
            columns={[
              { name: 'Event', show: (event) => <EventLink event={event}>{eventName(event.type)}</EventLink> },
              { name: 'Application', show: (event) => event.client_name ?? '' },
              { name: 'Session', show: (event) => event.session_id && <SessionLink id={event.session_id} /> },
              { name: 'When', show: (event) => <When at={event.date} /> },
            ]}
          />
        )
      }
    </Loaded>
  );
}

function Unblock({ user }: { user: User }) {
  const change = useChange(() => setBlocked(user, false));
  return (
    <>
      <Button variant="default" loading={change.isPending} onClick={() => change.mutate(undefined)}>
        Unblock
      </Button>
      {change.isError && <Failure error={change.error} />}
    </>
  );
}

export function OneUser() {
  const { id: user = '' } = useParams({ strict: false });
  const navigate = useNavigate();
  const query = useOne<User>(`users/${id(user)}`);
  return (
    <Loaded of={query}>
      {(found) => (
        <Stack>
          <Head
            title={found.name ?? found.email ?? found.user_id}
            action={
              <Group gap="xs">
                {found.blocked ? (
                  <Unblock user={found} />
                ) : (
                  <Asked label="Block" title="Block this person?" work={() => setBlocked(found, true)}>
                    They cannot sign in any more, and every session of theirs ends now.
                  </Asked>
                )}
                <Asked
                  label="Delete"
                  title="Delete this person?"
                  work={() => call('DELETE', `users/${id(found.user_id)}`)}
                  done={() => void navigate({ to: '/users' })}
                >
                  Their account, sessions and refresh tokens are deleted. This cannot be taken back.
                </Asked>
              </Group>
            }
          >
            <Group gap="xs">
              <span className="mono">{found.user_id}</span>
              <Copied text={found.user_id} label="the identifier" />
            </Group>
          </Head>
          <Block title="Details">
            <Facts
              of={[
                ['State', <State key="state" tone={found.blocked ? 'bad' : 'good'}>{found.blocked ? 'blocked' : 'active'}</State>],
                ['Email', found.email && `${found.email} (${found.email_verified ? 'verified' : 'not verified'})`],
                ['Connections', found.identities.map(({ connection }) => connection).join(', ')],
                ['Sign-ins', found.logins_count ?? 0],
                ['Last sign-in', <When key="last" at={found.last_login} exact />],
                ['From', found.last_ip],
                ['Created', <When key="made" at={found.created_at} exact />],
              ]}
            />
          </Block>
          <Block title="Sessions">
            <SessionsOf user={found.user_id} />
          </Block>
          <Block title="What happened">
            <Recent user={found.user_id} />
          </Block>
          <Block title="Metadata" hint="What your Actions and systems keep about the person, whatever the session.">
            <Json value={{ user_metadata: found.user_metadata ?? {}, app_metadata: found.app_metadata ?? {} }} label="Metadata of the person" />
          </Block>
        </Stack>
      )}
    </Loaded>
  );
}
