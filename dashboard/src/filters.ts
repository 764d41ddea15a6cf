// What a list shows is in the address, so that a link leads to the same place and the browser's back button works.

import { useNavigate, useSearch } from '@tanstack/react-router';

export interface Filters {
  q?: string;
  page?: number;
  user?: string;
  state?: string;
}

/** Only what is known, in its type. */
export function readFilters(search: Record<string, unknown>): Filters {
  const filters: Filters = {};
  for (const name of ['q', 'user', 'state'] as const) {
    const value = search[name];
    if ((typeof value === 'string' || typeof value === 'number') && value !== '') filters[name] = String(value);
  }
  const page = Number(search.page);
  if (Number.isInteger(page) && page > 0) filters.page = page;
  return filters;
}

export function useFilters(): [Filters, (filters: Filters) => void] {
  const filters = useSearch({ strict: false }) as Filters;
  const navigate = useNavigate();
  return [filters, (next) => void navigate({ to: '.', search: readFilters(next as Record<string, unknown>) as never })];
}
