/// <reference path="./platform.d.ts" />
// Types for authors of modules that Actions share: what a module finds around it beside platform.d.ts.
//
// A module gives what it assigns to `module.exports`. An Action that has it among its modules gets that from
// `require('actions:NAME')`; a module can require none of its kind. It runs once in a run of the Action, when first
// required, within the Action's limits.

declare const actions: {
  /** The module's own secrets. Those of the Action are in `event.secrets`, which a module sees only if it is handed over. */
  readonly secrets: Record<string, string>;
};
declare const module: { exports: any };
declare const exports: any;
