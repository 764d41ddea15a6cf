// Getting started: what there is already and what comes next, as it is at this moment.

import { Anchor, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { call } from '../api';
import { Block, Head, State } from '../parts/show';
import { Failure } from '../parts/state';

const LOOK_AGAIN_MS = 5000;

interface Step {
  title: string;
  text: string;
  /** A list of the API that is not empty once it is done. */
  path: string;
  /** Those of it that do not count. */
  but?: string;
  to: '/applications' | '/logs' | '/actions' | '/deliveries';
  link: string;
}

const STEPS: Step[] = [
  { title: 'Your first application', text: 'Register what people sign in to, and where they are sent back to.', path: 'clients?app_type=regular_web,spa,native', to: '/applications', link: 'Go to Applications' },
  { title: 'Your first sign-in', text: 'Send somebody from your application to this server, and see it in the log.', path: 'logs?q=type:s', but: 'logs?q=type:s%20AND%20client_id:vestibule-dashboard', to: '/logs', link: 'Go to Logs' },
  { title: 'Your first Action', text: 'Run code of your own at each sign-in, for instance to remember something in the session.', path: 'actions/actions?deployed=true', to: '/actions', link: 'Go to Actions' },
  { title: 'Your first logout token', text: 'Give an application a Back-Channel Logout URI, and end a session.', path: 'logout-deliveries?state=delivered', to: '/deliveries', link: 'Go to Logout deliveries' },
];

const count = async (path: string) => Number((await call<{ total: number }>('GET', `${path}&per_page=1&include_totals=true`)).total);

function One({ step }: { step: Step }) {
  const query = useQuery({
    queryKey: ['step', step.path],
    refetchInterval: LOOK_AGAIN_MS,
    queryFn: async () => (await count(step.path)) - (step.but ? await count(step.but) : 0),
  });
  return (
    <Block title={step.title}>
      <Group justify="space-between" align="flex-start">
        <Stack gap="xs" maw={560}>
          <Text size="sm">{step.text}</Text>
          <Anchor component={Link} to={step.to}>
            {step.link}
          </Anchor>
        </Stack>
        <div aria-live="polite">
          {query.data !== undefined && (query.data > 0 ? <State tone="good">done</State> : <State tone="waiting">waiting for it</State>)}
        </div>
      </Group>
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
    </Block>
  );
}

export function GettingStarted() {
  return (
    <>
      <Head title="Getting started">Four things make a whole. This page looks by itself whether they are done.</Head>
      <Stack>
        {STEPS.map((step) => (
          <One key={step.path} step={step} />
        ))}
      </Stack>
    </>
  );
}
