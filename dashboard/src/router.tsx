// Which address is which screen. The editor is loaded where it is shown.

import { createRootRoute, createRoute, createRouter, type RouteComponent } from '@tanstack/react-router';

import { readFilters } from './filters';
import { Empty } from './parts/state';
import { Actions } from './screens/actions';
import { Execution, OneAction } from './screens/action';
import { OneApplication } from './screens/application';
import { Applications } from './screens/applications';
import { Deliveries } from './screens/deliveries';
import { Logs, OneEvent } from './screens/log';
import { OneSession } from './screens/session';
import { Sessions } from './screens/sessions';
import { GettingStarted } from './screens/start';
import { TenantSettings } from './screens/tenant';
import { OneUser } from './screens/user';
import { Users } from './screens/users';
import { Shell } from './shell';

const NotFound = () => <Empty title="There is no such page">Choose one from the menu.</Empty>;

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, validateSearch: readFilters });
const screen = <P extends string>(path: P, component: RouteComponent) => createRoute({ getParentRoute: () => root, path, component });

const routes = root.addChildren([
  screen('/', GettingStarted),
  screen('/applications', Applications),
  screen('/applications/$id', OneApplication),
  screen('/users', Users),
  screen('/users/$id', OneUser),
  screen('/sessions', Sessions),
  screen('/sessions/$id', OneSession),
  screen('/actions', Actions),
  screen('/actions/$id', OneAction),
  screen('/executions/$id', Execution),
  screen('/logs', Logs),
  screen('/logs/$id', OneEvent),
  screen('/deliveries', Deliveries),
  screen('/tenant', TenantSettings),
]);

export const router = createRouter({ routeTree: routes, basepath: '/manage', defaultNotFoundComponent: NotFound });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
