// Users: the list, the search, and making one.

import { PasswordInput, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { call, id, usePage } from '../api';
import { useFilters } from '../filters';
import { Create } from '../parts/create';
import { List, Search } from '../parts/list';
import { Head, State, UserLink, When } from '../parts/show';
import { Empty } from '../parts/state';
import type { User } from '../types';
import { userQuery } from '../user-query';

/** The connection that every tenant begins with. */
const CONNECTION = 'Username-Password-Authentication';

function NewUser() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const navigate = useNavigate();
  return (
    <Create
      label="Create user"
      title="Create a user"
      ready={email.trim() !== '' && password !== ''}
      work={() => call<User>('POST', 'users', { connection: CONNECTION, email: email.trim(), password })}
      done={(made) => void navigate({ to: '/users/$id', params: { id: made.user_id } })}
    >
        <TextInput label="Email" type="email" required value={email} onChange={(event) => setEmail(event.currentTarget.value)} data-autofocus />
        <PasswordInput
          label="Password"
          required
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password', tabIndex: 0 }}
        />
    </Create>
  );
}

export function Users() {
  const [{ q = '', page = 0 }, setFilters] = useFilters();
  const users = usePage<User>('users', 'users', { q: userQuery(q) }, page);
  return (
    <>
      <Head title="Users" action={<NewUser />}>
        Everybody who can sign in.
      </Head>
      <Search
        label="Find a person"
        hint="A whole address, an identifier such as auth0|…, the beginning of a name, or a query such as blocked:true"
        value={q}
        onSearch={(text) => setFilters({ q: text })}
      />
      <List
        label="Users"
        query={users}
        page={page}
        onPage={(next) => setFilters({ q, page: next })}
        keyOf={(user) => user.user_id}
        columns={[
          { name: 'Person', show: (user) => <UserLink id={user.user_id}>{user.name ?? user.email ?? user.user_id}</UserLink> },
          { name: 'Email', show: (user) => user.email ?? '' },
          { name: 'State', show: (user) => <State tone={user.blocked ? 'bad' : 'good'}>{user.blocked ? 'blocked' : 'active'}</State> },
          { name: 'Sign-ins', show: (user) => user.logins_count ?? 0 },
          { name: 'Last sign-in', show: (user) => <When at={user.last_login} /> },
        ]}
        empty={
          <Empty title={q ? 'Nobody found' : 'Nobody yet'} action={q ? undefined : <NewUser />}>
            {q ? 'Try the whole address, or less of the name.' : 'People appear here once they sign up at one of your applications, or you create them.'}
          </Empty>
        }
      />
    </>
  );
}

/** Blocks or unblocks. */
export const setBlocked = (user: User, blocked: boolean) => call<User>('PATCH', `users/${id(user.user_id)}`, { blocked });
