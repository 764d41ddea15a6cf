//! TypeScript sources: what is blanked, what is refused and where, and what plain JavaScript has to do with it.

use sandbox::post_login::Event;
use sandbox::{Command, Failure, Sandbox, SyntaxError};

use crate::kit::{job, sandbox};

/// Where each case stands, what it becomes. Both sides are as long, so that columns stay.
const BLANKED: &[(&str, &str)] = &[
    // Annotations.
    ("let x: number = 1;", "let x         = 1;"),
    ("let x!: number;", "let x         ;"),
    ("let x /* ? */ : A | B = 1;", "let x                 = 1;"),
    ("const {a, b: [c]}: T = o;", "const {a, b: [c]}    = o;"),
    ("function f(a?: number, b?, ...c: T[]): void {}", "function f(a         , b , ...c     )       {}"),
    ("function f(this: T, a: U) {}", "function f(         a   ) {}"),
    ("function f(this: T,) {}", "function f(        ) {}"),
    ("function f(this: T) {}", "function f(       ) {}"),
    ("const f = function* <T>(a: T): any {};", "const f = function*    (a   )      {};"),
    ("try {} catch (e: unknown) {}", "try {} catch (e         ) {}"),
    ("for (const x of y as T[]) {}", "for (const x of y       ) {}"),
    ("for (let i: number; ;) {}", "for (let i        ; ;) {}"),
    (
        "const o = { m<T>(a: T): void {}, get g(): T { return 1 } };",
        "const o = { m   (a   )       {}, get g()    { return 1 } };",
    ),
    ("let s: `a${string}\\`b` = 'x';", "let s                  = 'x';"),
    ("let é: Ünï = 'ü';", "let é      = 'ü';"),
    ("function f(x: any): asserts x is string {}", "function f(x     )                      {}"),
    ("let f: <T>(a: T) => { [K in keyof T]?: T[K] };", "let f                                        ;"),
    // Arrow functions.
    ("const f = async <T,>(x: T): Promise<T> => x;", "const f = async     (x   )             => x;"),
    ("const f = <T extends {}>(x: T) => x;", "const f =               (x   ) => x;"),
    ("const f = (a?: T) => a ? (b) : (c);", "const f = (a    ) => a ? (b) : (c);"),
    ("const f = a ? (b): c => d : e; let t: T;", "const f = a ? (b)    => d : e; let t   ;"),
    ("g(() => a as T, b);", "g(() => a     , b);"),
    ("const f = () => ({} as T);", "const f = () => ({}     );"),
    ("const f = (a): {\n  b: C\n} => a;", "const f = (a    \n      \n) => a;"),
    ("const f = async <\n  T\n>(a: T) => a;", "const f = async (\n   \n  a   ) => a;"),
    ("function f() { return <T,\n>(a: T) => a }", "function f() { return (  \n  a   ) => a }"),
    // Expressions.
    ("a = b as any as string;", "a = b                 ;"),
    ("(a as any).b = c satisfies D;", "(a       ).b = c            ;"),
    ("a!.b!()![c!] = d! + e!;", "a .b () [c ] = d  + e ;"),
    ("a?.b!.c; let x: T;", "a?.b .c; let x   ;"),
    ("a! == b; a! ++;", "a  == b; a  ++;"),
    ("const c = { x: 1 } as const;", "const c = { x: 1 }         ;"),
    (
        "f<T>(x); new Map<string, A<B>>(); f<T>`x`; let q: T;",
        "f   (x); new Map              (); f   `x`; let q   ;",
    ),
    ("const g = f<string>;", "const g = f        ;"),
    ("a?.<T>(b);", "a?.   (b);"),
    ("let x = y < z, t: T;", "let x = y < z, t   ;"),
    // Where a type ended a statement that has no semicolon.
    ("const a = b as any\n(c)", "const a = b;      \n(c)"),
    ("const a = b as any\n[c].d", "const a = b;      \n[c].d"),
    ("a = b satisfies T\n`x`", "a = b;           \n`x`"),
    ("let z: T; x = new A<T>\n(b)", "let z   ; x = new A   \n(b)"),
    ("a!\n++b", "a;\n++b"),
    ("if (a) b = c as T\nelse d", "if (a) b = c;    \nelse d"),
    ("function f() { return a as T }", "function f() { return a;     }"),
    ("let a = 1\ntype T = U\n(b)", "let a = 1\n;         \n(b)"),
    ("let a = 1\ninterface I { x: T }\n[b].c", "let a = 1\n;                   \n[b].c"),
    // Declarations.
    ("type A<T> = T extends B ? C : D;", ";                               "),
    ("interface A extends B { c(): void; new (): D }", ";                                             "),
    ("declare const a: T;\ndeclare function f(): void;", ";                  \n;                          "),
    (
        "declare enum E { A }\ndeclare namespace N { let x: T }",
        ";                   \n;                               ",
    ),
    ("declare global { interface W {} }", ";                                "),
    ("declare module 'x' { export let y: T }", ";                                     "),
    (
        "function f(a: string): void;\nfunction f(a: any) {}",
        ";                           \nfunction f(a     ) {}",
    ),
    ("let type = 1; type = 2; let t: T;", "let type = 1; type = 2; let t   ;"),
    // Classes.
    ("class A<T> extends B<T> implements C, D {}", "class A    extends B                    {}"),
    ("const A = class implements C {};", "const A = class              {};"),
    (
        "abstract class A { abstract m(): void; abstract x: T; n() {} }",
        "         class A { ;                   ;              n() {} }",
    ),
    (
        "class A { private x = 1; static readonly y?: T = 2; z!: T; }",
        "class A { ;       x = 1; static          y     = 2; z    ; }",
    ),
    ("class A { public async *m?(): T {} }", "class A { ;      async *m ()    {} }"),
    (
        "class A { declare x: T; [k: string]: T; #p: T = 1; }",
        "class A { ;             ;               #p    = 1; }",
    ),
    ("class A { m(a: T): void; m(a: any) {} }", "class A { ;              m(a     ) {} }"),
    (
        "class A { constructor(a: T); constructor(a: any) {} }",
        "class A { ;                  constructor(a     ) {} }",
    ),
    (
        "class A { get x(): T { return 1 } set x(v: T) {} }",
        "class A { get x()    { return 1 } set x(v   ) {} }",
    ),
    ("class A {\n  a = 1\n  private [b] = 2\n}", "class A {\n  a = 1\n  ;       [b] = 2\n}"),
    ("class A {\n  a = b as T\n  [c] = 2\n}", "class A {\n  a = b;    \n  [c] = 2\n}"),
    ("class A {\n  get: T\n  x() {}\n}", "class A {\n  get;  \n  x() {}\n}"),
    (
        "class A { override m(this: A, a?: T) { super.m<T>(a!) } }",
        "class A { ;        m(         a    ) { super.m   (a ) } }",
    ),
    (
        "class A { static { let x: T } ['a' as string]: T = 1 }",
        "class A { static { let x;   } ['a'          ]    = 1 }",
    ),
];

/// What is read and not taken, the place, and a word of the reason.
const REFUSED: &[(&str, u32, u32, &str)] = &[
    ("\n  enum E { A }", 2, 3, "enum"),
    ("const enum E { A }", 1, 1, "enum"),
    ("function f() { enum E { A } }", 1, 16, "enum"),
    ("namespace N { export const x = 1 }", 1, 1, "namespace"),
    ("class A { constructor(a: T,\n private b: T) {} }", 2, 2, "parameter property"),
    ("import x = require('x');", 1, 1, "import … ="),
    ("@d class A { x: T }", 1, 1, "Decorators"),
    ("class A { @d x: T }", 1, 11, "Decorators"),
    ("const a: T = <T>b;", 1, 14, "as Type"),
    ("export default async (event: T) => {}", 1, 1, "export default"),
    ("export * from 'x';", 1, 1, "export … from"),
    ("export { a } from 'x';", 1, 1, "export … from"),
    ("export = 1;", 1, 1, "module.exports"),
    ("export let a = 1;", 1, 1, "export const"),
    ("import a from 'a' with { type: 'json' };", 1, 1, "attributes"),
];

/// Modules, and the CommonJS script that each becomes.
const MODULES: &[(&str, &str)] = &[
    (
        "import { createHash as hash } from 'node:crypto';",
        "const { createHash: hash } = require('node:crypto');",
    ),
    ("import url, { URL } from 'url'", "const url = require('url'), { URL: URL } = require('url');"),
    ("import * as c from \"crypto\";", "const c = require(\"crypto\");"),
    ("import { type A, b } from 'x';", "const { b: b } = require('x');"),
    ("import {\n  a,\n} from 'x'; a;", "const { a: a } = require('x');\n\n a;"),
    ("import 'x';", "require('x');"),
    ("import type { A } from 'a';", ";                          "),
    ("import { type A } from 'a';", ";                          "),
    ("export type { A } from 'a';", ";                          "),
    ("export interface A {}", ";                    "),
    ("export {};", ";         "),
    (
        "export const a: T = 1, { b } = c;",
        "       const a    = 1, { b } = c;\nexports[\"a\"] = a;exports[\"b\"] = b;",
    ),
    ("export async function f() {} // end", "       async function f() {} // end\nexports[\"f\"] = f;"),
    ("export abstract class A {}", "                class A {}\nexports[\"A\"] = A;"),
    (
        "const a = 1; export { a as b, type T };",
        "const a = 1; ;                         \nexports[\"b\"] = a;",
    ),
];

async fn syntax_error(sandbox: &Sandbox, source: &str) -> SyntaxError {
    match sandbox.build(source).await {
        Err(Failure::Syntax(error)) => error,
        other => panic!("{source}: {other:?}"),
    }
}

#[tokio::test]
async fn types_become_spaces_and_the_rest_stays_in_its_place() {
    let sandbox = sandbox();
    let mut wrong = String::new();
    for (source, expected) in BLANKED {
        let built = sandbox.build(source).await;
        if built.as_ref() != Ok(&Some((*expected).to_owned())) {
            wrong += &format!("{source:?}\n  became {built:?}\n  not    {expected:?}\n");
        } else if source.chars().count() != expected.chars().count() {
            wrong += &format!("{source:?} changed its length\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn imports_and_exports_become_what_a_script_has_for_them() {
    let sandbox = sandbox();
    for (source, expected) in MODULES {
        assert_eq!(sandbox.build(source).await, Ok(Some((*expected).to_owned())), "{source}");
    }
}

#[tokio::test]
async fn what_is_not_only_types_is_refused_with_its_place() {
    let sandbox = sandbox();
    for (source, line, column, reason) in REFUSED {
        let error = syntax_error(&sandbox, source).await;
        assert_eq!((error.line, error.column), (*line, *column), "{source}: {error}");
        assert!(error.message.contains(reason), "{source}: {error}");
    }
}

#[tokio::test]
async fn what_is_javascript_is_left_as_it_is() {
    let sandbox = sandbox();
    for source in [
        "",
        "// let x: number;\nexports.onExecutePostLogin = async (event, api) => {};",
        "exports.less = (a, b, c) => a < b > (c);",
        "with (exports) { a = 010 }",
        "let type = 1, declare, abstract, satisfies; type\n= 2",
        "const text = 'let x: number = y as T';",
    ] {
        assert_eq!(sandbox.build(source).await, Ok(None), "{source}");
    }
}

#[tokio::test]
async fn the_reading_that_got_farther_tells_what_is_wrong() {
    let sandbox = sandbox();
    let error = syntax_error(&sandbox, "let x: number = 1;\nlet y: string = ;").await;
    assert_eq!((error.line, error.column), (2, 17), "{error}");
    // A repeated name is an error of the JavaScript that is left, at the author's own place.
    let error = syntax_error(&sandbox, "let x: number = 1;\n\n  let x: string = '';").await;
    assert_eq!(error.line, 3, "{error}");
    let plain = syntax_error(&sandbox, "const f = (a) => {\n  return a +;\n}").await;
    assert_eq!(plain.line, 2, "{plain}");
}

#[tokio::test]
async fn a_text_on_which_the_parser_itself_fails_is_an_error_of_javascript() {
    // In a build with assertions; in others it is an error like any.
    let error = syntax_error(&sandbox(), "abstract class A<T> extends ,B<T> implements C:D {").await;
    assert_eq!(error.line, 1, "{error}");
}

#[tokio::test]
async fn nesting_without_end_fails_that_build_only() {
    let sandbox = sandbox();
    let depth = 30_000;
    let round = |open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    for source in [
        format!("let x: {};", round("(", ")")),
        format!("let x: T = {};", round("[", "]")),
        format!("let x: T = {}1;", "!".repeat(depth)),
        format!("let x: {}T;", "A<".repeat(depth)),
        format!("let x: T = {}1", "() => ".repeat(depth / 2)),
        round("{", "}: T"),
    ] {
        assert!(source.len() < 200_000);
        assert!(sandbox.build(&source).await.is_err(), "{}", &source[..20]);
    }
    assert_eq!(sandbox.build("let x: T;").await, Ok(Some("let x   ;".to_owned())));
}

#[tokio::test]
async fn long_sources_are_built_within_the_limit() {
    let source = "export const f = async (event: Event, api?: Api<T>): Promise<void> => { event as any; };\n";
    let lines: Vec<String> = (0..1000).map(|number| source.replace(" f ", &format!(" f{number} "))).collect();
    let built = sandbox().build(&lines.concat()).await.unwrap().unwrap();
    assert!(built.contains("exports[\"f999\"] = f999;"));
}

#[tokio::test]
async fn a_typescript_action_runs_and_its_errors_have_its_own_lines() {
    let source = "import type { Event, PostLoginApi } from 'vestibule';\n\
        import { createHash } from 'node:crypto';\n\
        interface Marks { seen: string }\n\
        export const onExecutePostLogin = async (event: Event, api: PostLoginApi): Promise<void> => {\n\
        \x20 const marks = { seen: createHash('sha256').update('a').digest('hex') } satisfies Marks;\n\
        \x20 api.accessToken.setCustomClaim('seen', marks!.seen.slice(0, 4) as string);\n\
        \x20 (null as any).boom;\n\
        };\n";
    let sandbox = sandbox();
    let code = sandbox.build(source).await.unwrap().unwrap();
    let outcome = sandbox.run(job(&code, Event::default())).await;
    let claim = Command::SetAccessTokenClaim { name: "seen".into(), value: "ca97".into() };
    assert_eq!(outcome.commands, [claim]);
    let Some(Failure::Script { name, stack, .. }) = outcome.failure else { panic!() };
    assert_eq!(name, "TypeError");
    assert!(stack.contains("My Action:7:"), "{stack}");
}
