//! What is measured: one row per kind of work, with the parts that its floor is made of.

use std::rc::Rc;
use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::floor::Piece::{Argon2, Es256, Realm, Rs256, Rs256Verified};
use crate::floor::{Bare, Http, Piece, commits, syncs_per_second};
use crate::load::{Measured, measure};
use crate::process::Server;
use crate::report::{self, Aim, Line};
use crate::setup::{self, Api, World};
use crate::wire::{Ask, Wire};
use crate::{Options, Result, actions};

/// Requests under way at once.
const AT_ONCE: usize = 64;
/// Sign-ins with a password under way at once: each takes a processor for 20 ms.
const SIGN_INS_AT_ONCE: usize = 8;
/// Rounds of each row: work and floors take turns, so that what disturbs the machine disturbs both.
const ROUNDS: u32 = 3;
/// How long each part of a floor is measured in each round.
const FLOOR_TIME: Duration = Duration::from_millis(400);
/// How long one writer and many are measured, to tell them apart.
const COMMIT_TIME: Duration = Duration::from_secs(2);
/// Bytes that an event of the log brings to a commit.
const EVENT_BYTES: usize = 1_000;
/// Bytes that a finished sign-in brings to its commit: session, code and event.
const SIGN_IN_BYTES: usize = 3_000;
/// Bytes that an exchange brings to its commit: code or refresh token, and event.
const EXCHANGE_BYTES: usize = 2_000;
pub(crate) const SCOPE: &str = "scope=openid%20profile%20email";

/// One connection with a browser or an application behind it.
pub(crate) struct Seat {
    pub(crate) wire: Wire,
    pub(crate) world: Rc<World>,
    email: String,
    /// The session's cookie, which begins with the session's identifier.
    session: String,
    refresh_token: String,
    /// Changes with every step that must change something.
    count: u64,
}

impl Seat {
    pub(crate) fn cookie(&self) -> String {
        format!("__Host-vestibule={}", self.session)
    }

    fn session_ask(&self, ask: Ask) -> Ask {
        ask.with("authorization", &format!("Bearer {}", self.world.session_token))
    }

    fn session_path(&self) -> String {
        format!("/api/v2/sessions/{}", self.session.split('.').next().unwrap_or_default())
    }
}

async fn discovery(seat: &mut Seat) -> Result<()> {
    seat.wire.ask(Ask::get("/.well-known/openid-configuration")).await?.expect(200).map(drop)
}

async fn jwks(seat: &mut Seat) -> Result<()> {
    seat.wire.ask(Ask::get("/.well-known/jwks.json")).await?.expect(200).map(drop)
}

async fn rs256_token(seat: &mut Seat) -> Result<()> {
    setup::client_credentials(&mut seat.wire, &seat.world.machine, seat.world.apis[0]).await.map(drop)
}

async fn es256_token(seat: &mut Seat) -> Result<()> {
    setup::client_credentials(&mut seat.wire, &seat.world.machine, seat.world.apis[1]).await.map(drop)
}

async fn refresh(seat: &mut Seat) -> Result<()> {
    setup::refresh(&mut seat.wire, &seat.world.app, &seat.refresh_token).await.map(drop)
}

async fn rotate(seat: &mut Seat) -> Result<()> {
    let next = setup::refresh(&mut seat.wire, &seat.world.rotating, &seat.refresh_token).await?;
    seat.refresh_token = next.ok_or("a rotating refresh token is replaced")?;
    Ok(())
}

pub(crate) async fn silent_sign_in(seat: &mut Seat) -> Result<()> {
    let (cookie, more) = (seat.cookie(), format!("prompt=none&{SCOPE}"));
    let code = setup::authorize(&mut seat.wire, &seat.world.app, &cookie, &more).await?.sent_with("code")?;
    setup::exchange(&mut seat.wire, &seat.world.app, &code).await.map(drop)
}

async fn password_sign_in(seat: &mut Seat) -> Result<()> {
    setup::sign_in(&mut seat.wire, &seat.world.app, &seat.email, SCOPE).await.map(drop)
}

async fn read_session(seat: &mut Seat) -> Result<()> {
    let ask = seat.session_ask(Ask::get(seat.session_path()));
    seat.wire.ask(ask).await?.expect(200).map(drop)
}

async fn patch_session(seat: &mut Seat) -> Result<()> {
    seat.count += 1;
    let metadata =
        json!({ "device": "Firefox on Linux", "sign_ins": seat.count.to_string(), "plan": "gold" });
    let body = json!({ "session_metadata": metadata });
    let ask = seat.session_ask(Ask::json(Method::PATCH, seat.session_path(), &body));
    seat.wire.ask(ask).await?.expect(200).map(drop)
}

/// What a row's floor is made of, beside its bytes over HTTP.
#[derive(Default, Clone, Copy)]
struct Parts {
    /// Bare work, and how often.
    pieces: &'static [(Piece, u32)],
    /// Bytes of each commit.
    commits: &'static [usize],
}

/// The measuring bench: the server, the floors, and the lines so far.
struct Bench<'a> {
    options: &'a Options,
    server: Server,
    http: Http,
    bare: Bare,
    lines: Vec<Line>,
    aims: Vec<Aim>,
}

impl Bench<'_> {
    /// Measures one row and its floor, taking turns; gives the seats back.
    async fn row(
        &mut self,
        name: &'static str,
        mut seats: Vec<Seat>,
        step: impl AsyncFn(&mut Seat) -> Result<()> + Copy + 'static,
        parts: Parts,
    ) -> Result<Vec<Seat>> {
        if seats.is_empty() || !name.contains(&*self.options.only) {
            return Ok(seats);
        }
        seats[0].wire.tape = Some(Vec::new());
        step(&mut seats[0]).await?;
        let tape = seats[0].wire.tape.take().unwrap_or_default();
        let (at_once, mut measured, mut floor_us) = (seats.len(), Measured::default(), 0.0);
        for _ in 0..ROUNDS {
            let (slice, back) =
                measure(&self.server.process, seats, self.options.time / ROUNDS, step).await?;
            seats = back;
            let pace = slice.per_second();
            measured.add(slice);
            floor_us += self.floor_us(&tape, at_once, parts, pace).await? / f64::from(ROUNDS);
        }
        let mut made_of = vec![format!("{} HTTP", tape.len())];
        made_of.extend(parts.pieces.iter().map(|(piece, count)| format!("{count} {}", piece.name())));
        if !parts.commits.is_empty() {
            made_of.push(format!("{} commit", parts.commits.len()));
        }
        self.push(Line { name, at_once, floor_us, made_of: made_of.join(" + "), measured });
        Ok(seats)
    }

    async fn floor_us(&self, tape: &[(Ask, usize)], at_once: usize, parts: Parts, pace: f64) -> Result<f64> {
        let mut sum_us = self.http.cpu_us(tape, at_once, FLOOR_TIME).await?;
        for (piece, count) in parts.pieces {
            sum_us += f64::from(*count) * self.bare.cpu_us(*piece, FLOOR_TIME);
        }
        for row_bytes in parts.commits {
            sum_us += commits(&self.options.folder, at_once, *row_bytes, Some(pace), FLOOR_TIME)?.cpu_us;
        }
        Ok(sum_us)
    }

    fn push(&mut self, line: Line) {
        report::say(&line.row());
        self.lines.push(line);
    }

    async fn seats(&self, api: &Api, world: &Rc<World>) -> Result<Vec<Seat>> {
        let mut seats = Vec::with_capacity(AT_ONCE);
        for number in 0..AT_ONCE {
            let mut wire = Wire::open(&self.server.address).await?;
            let email = api.make_user(number).await?;
            let (session, _) = setup::sign_in(&mut wire, &world.app, &email, SCOPE).await?;
            let (world, refresh_token) = (Rc::clone(world), String::new());
            seats.push(Seat { wire, world, email, session, refresh_token, count: 0 });
        }
        Ok(seats)
    }

    async fn measure_rows(&mut self, mut seats: Vec<Seat>, api: &Api, world: &World) -> Result<()> {
        seats = self.row("discovery", seats, discovery, Parts::default()).await?;
        seats = self.row("JWKS", seats, jwks, Parts::default()).await?;
        let parts = Parts { pieces: &[(Rs256, 1)], commits: &[EVENT_BYTES] };
        seats = self.row("client credentials, RS256", seats, rs256_token, parts).await?;
        let parts = Parts { pieces: &[(Es256, 1)], commits: &[EVENT_BYTES] };
        seats = self.row("client credentials, ES256", seats, es256_token, parts).await?;
        let parts = Parts { pieces: &[(Rs256, 2)], commits: &[EXCHANGE_BYTES] };
        for seat in &mut seats {
            seat.refresh_token =
                setup::first_refresh_token(&mut seat.wire, &world.app, &seat.session).await?;
        }
        seats = self.row("refresh", seats, refresh, parts).await?;
        for seat in &mut seats {
            seat.refresh_token =
                setup::first_refresh_token(&mut seat.wire, &world.rotating, &seat.session).await?;
        }
        seats = self.row("refresh, rotating", seats, rotate, parts).await?;
        let parts = Parts { pieces: &[(Rs256, 2)], commits: &[SIGN_IN_BYTES, EXCHANGE_BYTES] };
        seats = self.row("silent sign-in and code exchange", seats, silent_sign_in, parts).await?;
        let parts = Parts { pieces: &[(Rs256Verified, 1)], commits: &[] };
        seats = self.row("session GET", seats, read_session, parts).await?;
        let parts = Parts { pieces: &[(Rs256Verified, 1)], commits: &[EXCHANGE_BYTES] };
        seats = self.row("session PATCH", seats, patch_session, parts).await?;
        let few = seats.split_off(AT_ONCE - SIGN_INS_AT_ONCE);
        let parts = Parts { pieces: &[(Argon2, 1)], commits: &[EVENT_BYTES, SIGN_IN_BYTES] };
        seats.extend(self.row("sign-in with a password", few, password_sign_in, parts).await?);
        api.bind(std::slice::from_ref(&world.action_id)).await?;
        let parts = Parts { pieces: &[(Rs256, 2), (Realm, 1)], commits: &[SIGN_IN_BYTES, EXCHANGE_BYTES] };
        seats = self.row("silent sign-in with one Action", seats, silent_sign_in, parts).await?;
        self.measure_actions(seats, api, world).await
    }

    /// What Actions cost, beside what they may.
    async fn measure_actions(&mut self, seats: Vec<Seat>, api: &Api, world: &World) -> Result<()> {
        if !"Actions".contains(&*self.options.only) {
            return Ok(());
        }
        let time = self.options.time * 2;
        let (added, mut seats) = actions::added(&self.server, api, world, seats, time).await?;
        self.aim(added);
        for aim in actions::worker_start(&self.options.program).await? {
            self.aim(aim);
        }
        let seat = seats.first_mut().ok_or("there is somebody to sign in")?;
        self.aim(actions::growth(&self.server, api, seat).await?);
        Ok(())
    }

    fn aim(&mut self, aim: Aim) {
        report::say(&aim.row());
        self.aims.push(aim);
    }
}

/// Measures everything; answers the report.
pub(crate) async fn measure_all(options: &Options) -> Result<String> {
    let server = Server::start(&options.program, &options.folder).await?;
    let api = Api::open(&server).await?;
    let world = Rc::new(api.make_world(&server).await?);
    let (http, bare) = (Http::start()?, Bare::new()?);
    let mut bench = Bench { options, server, http, bare, lines: Vec::new(), aims: Vec::new() };
    let seats = bench.seats(&api, &world).await?;
    bench.measure_rows(seats, &api, &world).await?;
    let pieces = Piece::ALL.map(|piece| (piece.name(), bench.bare.cpu_us(piece, FLOOR_TIME)));
    let committed = |writers| commits(&options.folder, writers, EVENT_BYTES, None, COMMIT_TIME);
    let committed = [(1, committed(1)?), (AT_ONCE, committed(AT_ONCE)?)];
    let syncs = syncs_per_second(&options.folder, COMMIT_TIME)?;
    Ok(report::text(&bench.lines, &bench.aims, &pieces, committed, EVENT_BYTES, syncs, &options.folder))
}
