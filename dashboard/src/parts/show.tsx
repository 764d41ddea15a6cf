// Small things that are shown in many places: times, identifiers with links, facts, badges, headings.

import { Anchor, Badge, Button, Code, CopyButton, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

function relative(ms: number): string {
  for (const [unit, length] of UNITS) {
    if (Math.abs(ms) >= length || unit === 'second') return RELATIVE.format(Math.round(ms / length), unit);
  }
  return '';
}

/** A moment, as the reader's own clock tells it, and how far off it is. */
export function When({ at, exact = false }: { at: string | null | undefined; exact?: boolean }) {
  if (!at) return <Text span c="dimmed">never</Text>;
  const date = new Date(at);
  const far = relative(date.getTime() - Date.now());
  return (
    <time dateTime={at} title={exact ? far : FORMAT.format(date)}>
      {exact ? FORMAT.format(date) : far}
    </time>
  );
}

export function Copied({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button size="compact-xs" variant="default" onClick={copy} aria-label={`Copy ${label}`}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
      )}
    </CopyButton>
  );
}

export const UserLink = ({ id, children }: { id: string; children?: ReactNode }) => (
  <Anchor component={Link} to="/users/$id" params={{ id } as never} className={children ? undefined : 'mono'}>
    {children ?? id}
  </Anchor>
);

export const ClientLink = ({ id, children }: { id: string; children?: ReactNode }) => (
  <Anchor component={Link} to="/applications/$id" params={{ id } as never} className={children ? undefined : 'mono'}>
    {children ?? id}
  </Anchor>
);

export const SessionLink = ({ id, children }: { id: string; children?: ReactNode }) => (
  <Anchor component={Link} to="/sessions/$id" params={{ id } as never} className={children ? undefined : 'mono'}>
    {children ?? id}
  </Anchor>
);

export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {of.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value ?? <Text span c="dimmed">none</Text>}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The head of a screen; it names the browser's tab too. */
export function Head({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Vestibule`;
  }, [title]);
  return (
    <Group justify="space-between" align="flex-start" mb="lg">
      <Stack gap={4} maw={720}>
        <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Title>
        {children && (
          <Text c="dimmed" size="sm" component="div">
            {children}
          </Text>
        )}
      </Stack>
      {action}
    </Group>
  );
}

export function Block({ title, children, hint }: { title: string; children: ReactNode; hint?: ReactNode }) {
  return (
    <Paper withBorder p="lg" component="section" aria-label={title}>
      <Title order={2} size="h4" mb={hint ? 4 : 'md'}>
        {title}
      </Title>
      {hint && (
        <Text c="dimmed" size="sm" mb="md" component="div">
          {hint}
        </Text>
      )}
      {children}
    </Paper>
  );
}

export const Json = ({ value, label }: { value: unknown; label: string }) => (
  <Code block tabIndex={0} role="region" aria-label={label} style={{ maxHeight: 480, overflow: 'auto' }}>
    {JSON.stringify(value, null, 2)}
  </Code>
);

const COLOURS: Record<string, string> = { good: 'teal', bad: 'red', waiting: 'yellow', neutral: 'gray' };

export const State = ({ tone, children }: { tone: 'good' | 'bad' | 'waiting' | 'neutral'; children: ReactNode }) => (
  <Badge color={COLOURS[tone] ?? 'gray'} variant="outline" tt="none" style={{ color: 'var(--mantine-color-text)' }}>
    {children}
  </Badge>
);
