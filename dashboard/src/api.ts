// Calls of the Management API, and lists of it page by page.

import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { accessToken } from './sign-in';

export const PAGE_ITEMS = 25;

/** The API refused. The message is its own, and says what to do where it can. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | undefined>;

async function send(method: string, path: string, body: unknown, token: string): Promise<Response> {
  return fetch(`/api/v2/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

/** One call. A token that is no longer taken is renewed once; where the session has ended, that leads to the sign-in page. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response = await send(method, path, body, await accessToken());
  if (response.status === 401 || response.status === 403) {
    response = await send(method, path, body, await accessToken(true));
  }
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const answer: unknown = text && isJson ? JSON.parse(text) : undefined;
  if (response.ok) return answer as T;
  const told = answer as { message?: string; errorCode?: string } | undefined;
  throw new ApiError(response.status, told?.message ?? `The server answered ${response.status}.`, told?.errorCode);
}

export function withQuery(path: string, query: Query): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined && pair[1] !== '');
  const text = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

/** One resource. */
export function useOne<T>(path: string, enabled = true) {
  return useQuery({ queryKey: [path], queryFn: () => call<T>('GET', path), enabled });
}

export interface Page<T> {
  items: T[];
  total: number;
}

/** A page of a list that knows totals; `page` counts from zero. */
export function usePage<T>(name: string, path: string, query: Query, page: number) {
  const url = withQuery(path, { ...query, page, per_page: PAGE_ITEMS, include_totals: 'true' });
  return useQuery({
    queryKey: [path, url],
    placeholderData: keepPreviousData,
    queryFn: async (): Promise<Page<T>> => {
      const answer = await call<Record<string, unknown>>('GET', url);
      const items = (answer[name] ?? []) as T[];
      return { items, total: Number(answer.total ?? items.length) };
    },
  });
}

/** An identifier as a part of a path. */
export const id = (text: string | undefined): string => encodeURIComponent(text ?? '');
