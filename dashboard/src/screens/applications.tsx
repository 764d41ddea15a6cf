// Applications: the list, and making one.

import { Radio, Stack, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { call, usePage } from '../api';
import { useFilters } from '../filters';
import { Create } from '../parts/create';
import { List } from '../parts/list';
import { ClientLink, Head } from '../parts/show';
import { Empty } from '../parts/state';
import type { Client } from '../types';

const TYPES: [string, string, string][] = [
  ['regular_web', 'Regular web application', 'Runs on a server that keeps a secret.'],
  ['spa', 'Single-page application', 'Runs in the browser; it has no secret and uses PKCE.'],
  ['native', 'Native application', 'Runs on a phone or a desktop; it has no secret and uses PKCE.'],
  ['non_interactive', 'Machine to machine', 'Acts on its own behalf; nobody signs in.'],
];

export const typeName = (type: string | undefined): string => TYPES.find(([name]) => name === type)?.[1] ?? type ?? 'Not said';

/** What a new application of a type needs beside its name. */
function defaults(type: string) {
  if (type === 'non_interactive') return { grant_types: ['client_credentials'] };
  const grant_types = ['authorization_code', 'refresh_token'];
  return type === 'regular_web' ? { grant_types } : { grant_types, token_endpoint_auth_method: 'none' };
}

function NewApplication() {
  const [name, setName] = useState('');
  const [type, setType] = useState('regular_web');
  const navigate = useNavigate();
  return (
    <Create
      label="Create application"
      title="Create an application"
      ready={name.trim() !== ''}
      work={() => call<Client>('POST', 'clients', { name: name.trim(), app_type: type, oidc_conformant: true, ...defaults(type) })}
      done={(made) => void navigate({ to: '/applications/$id', params: { id: made.client_id } })}
    >
        <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <Radio.Group label="What it is" value={type} onChange={setType}>
          <Stack gap="xs" mt="xs">
            {TYPES.map(([value, label, description]) => (
              <Radio key={value} value={value} label={label} description={description} />
            ))}
          </Stack>
        </Radio.Group>
    </Create>
  );
}

export function Applications() {
  const [{ page = 0 }, setFilters] = useFilters();
  const clients = usePage<Client>('clients', 'clients', {}, page);
  return (
    <>
      <Head title="Applications" action={<NewApplication />}>
        What people sign in to, and the programs that call your APIs.
      </Head>
      <List
        label="Applications"
        query={clients}
        page={page}
        onPage={(next) => setFilters({ page: next })}
        keyOf={(client) => client.client_id}
        columns={[
          { name: 'Name', show: (client) => <ClientLink id={client.client_id}>{client.name}</ClientLink> },
          { name: 'Type', show: (client) => typeName(client.app_type) },
          { name: 'Client identifier', show: (client) => <span className="mono">{client.client_id}</span> },
          {
            name: 'Hears of logouts',
            show: (client) => ((client.oidc_logout?.backchannel_logout_urls ?? []).length > 0 ? 'yes' : 'no'),
          },
        ]}
        empty={
          <Empty title="No application yet" action={<NewApplication />}>
            Create one for each program that people sign in to. It gets an identifier, and you say where people are sent back to.
          </Empty>
        }
      />
    </>
  );
}
