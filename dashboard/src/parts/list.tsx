// A list that pages on the server: its table, its pages, its search field.

import { Button, Group, Table, Text, TextInput } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';

import { PAGE_ITEMS, type Page } from '../api';
import { Loaded } from './state';

export interface Column<T> {
  name: string;
  show: (item: T) => ReactNode;
}

export function Rows<T>({ label, columns, items, keyOf }: { label: string; columns: Column<T>[]; items: T[]; keyOf: (item: T) => string }) {
  return (
    <Table.ScrollContainer minWidth={560} type="native" tabIndex={0} role="region" aria-label={`${label}, table`}>
      <Table verticalSpacing="sm" highlightOnHover aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ name }) => (
              <Table.Th key={name} scope="col">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={keyOf(item)}>
              {columns.map(({ name, show }) => (
                <Table.Td key={name}>{show(item)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface ListProps<T> {
  label: string;
  query: UseQueryResult<Page<T>>;
  columns: Column<T>[];
  keyOf: (item: T) => string;
  empty: ReactNode;
  page: number;
  onPage: (page: number) => void;
}

export function List<T>({ label, query, columns, keyOf, empty, page, onPage }: ListProps<T>) {
  return (
    <Loaded of={query}>
      {({ items, total }) =>
        items.length === 0 && page === 0 ? (
          empty
        ) : (
          <>
            <Rows label={label} columns={columns} items={items} keyOf={keyOf} />
            <Group justify="space-between" mt="md" component="nav" aria-label={`Pages of ${label.toLowerCase()}`}>
              <Text size="sm" c="dimmed" aria-live="polite">
                {items.length === 0 ? 'Nothing on this page' : `${page * PAGE_ITEMS + 1}–${page * PAGE_ITEMS + items.length} of ${total}`}
              </Text>
              <Group gap="xs">
                <Button variant="default" size="xs" disabled={page === 0} onClick={() => onPage(page - 1)}>
                  Previous
                </Button>
                <Button variant="default" size="xs" disabled={(page + 1) * PAGE_ITEMS >= total} onClick={() => onPage(page + 1)}>
                  Next
                </Button>
              </Group>
            </Group>
          </>
        )
      }
    </Loaded>
  );
}

interface SearchProps {
  label: string;
  hint: ReactNode;
  value: string;
  onSearch: (text: string) => void;
}

export function Search({ label, hint, value, onSearch }: SearchProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text.trim());
      }}
    >
      <Group align="flex-end" mb="md" gap="xs">
        <TextInput style={{ flex: 1 }} label={label} description={hint} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <Button type="submit">Search</Button>
        {value && (
          <Button variant="default" onClick={() => onSearch('')}>
            Clear
          </Button>
        )}
      </Group>
    </form>
  );
}
