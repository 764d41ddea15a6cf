// Logout deliveries: what became of each logout token, and sending one again.

import { Button, NativeSelect, Stack, Text } from '@mantine/core';

import { call, id, usePage } from '../api';
import { useFilters } from '../filters';
import { useChange } from '../parts/change';
import { List, Search } from '../parts/list';
import { ClientLink, Head, SessionLink, State, When } from '../parts/show';
import { Empty, Failure } from '../parts/state';
import type { Delivery } from '../types';

const STATES = [
  { value: '', label: 'Any state' },
  { value: 'pending', label: 'Pending' },
  { value: 'deferred', label: 'Waiting for its host' },
  { value: 'delivered', label: 'Delivered' },
  { value: 'failed', label: 'Failed' },
  { value: 'dropped', label: 'Dropped' },
];
const TONES = { delivered: 'good', failed: 'bad', pending: 'waiting' } as const;

function Outcome({ delivery }: { delivery: Delivery }) {
  const tone = delivery.state in TONES ? TONES[delivery.state as keyof typeof TONES] : 'neutral';
  return (
    <Stack gap={2} align="flex-start">
      <State tone={tone}>{delivery.deferred ? 'waiting for its host' : delivery.state}</State>
      {delivery.state === 'pending' && delivery.next_attempt_at && (
        <Text size="xs" c="dimmed">
          next try <When at={delivery.next_attempt_at} />
        </Text>
      )}
      {delivery.last_error && (
        <Text size="xs" c="dimmed">
          {delivery.last_error}
        </Text>
      )}
    </Stack>
  );
}

function Redeliver({ delivery }: { delivery: Delivery }) {
  const change = useChange(() => call('POST', `logout-deliveries/${id(delivery.id)}/redeliver`));
  return (
    <>
      <Button size="compact-sm" variant="default" loading={change.isPending} onClick={() => change.mutate(undefined)} aria-label={`Redeliver to ${delivery.backchannel_logout_url}`}>
        Redeliver
      </Button>
      {change.isError && <Failure error={change.error} />}
    </>
  );
}

export function Deliveries() {
  const [{ q = '', state = '', page = 0 }, setFilters] = useFilters();
  const deliveries = usePage<Delivery>('logout_deliveries', 'logout-deliveries', { client_id: q || undefined, state: state || undefined }, page);
  return (
    <>
      <Head title="Logout deliveries">What became of each logout token that an application was to get.</Head>
      <Search label="Client identifier" hint="Only deliveries to this application; empty: to all" value={q} onSearch={(text) => setFilters({ q: text, state })} />
      <NativeSelect mb="md" maw={260} label="State" data={STATES} value={state} onChange={(event) => setFilters({ q, state: event.currentTarget.value })} />
      <List
        label="Deliveries"
        query={deliveries}
        page={page}
        onPage={(next) => setFilters({ q, state, page: next })}
        keyOf={(delivery) => delivery.id}
        columns={[
          { name: 'State', show: (delivery) => <Outcome delivery={delivery} /> },
          { name: 'Application', show: (delivery) => <ClientLink id={delivery.client_id} /> },
          { name: 'To', show: (delivery) => <span className="mono">{delivery.backchannel_logout_url}</span> },
          { name: 'Because', show: (delivery) => delivery.initiator },
          { name: 'Session', show: (delivery) => <SessionLink id={delivery.session_id} /> },
          { name: 'Tries', show: (delivery) => delivery.attempts },
          { name: 'Made', show: (delivery) => <When at={delivery.created_at} /> },
          { name: 'Again', show: (delivery) => <Redeliver delivery={delivery} /> },
        ]}
        empty={
          <Empty title={q || state ? 'No delivery matches' : 'No logout token yet'}>
            {q || state
              ? 'Choose another state, or another application.'
              : 'When a session ends, each application that has a Back-Channel Logout URI is told. What became of that stands here.'}
          </Empty>
        }
      />
    </>
  );
}
