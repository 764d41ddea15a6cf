//! Finds events by what they hold: by the index where the query has terms for it, else one by one.
//!
//! What is found by the index is a guess until the event itself is compared with the whole query. Events are answered in
//! the order of their identifiers, although segments overlap where events came late: each segment says what those behind
//! it can still hold. A search that would look at too much is refused; it neither lies nor takes seconds.

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain::event::LogEvent;
use domain::id::LogId;
use domain::limits::{LOG_SEARCH_EVENTS_MAX, LOG_SEARCH_SEGMENTS_MAX};
use domain::log_index::{LOG_BLOCK_EVENTS, LogBlock, LogHead, LogPosting, LogSegment};
use domain::query::Query;
use domain::time::Timestamp;
use store::limits::PAGE_MAX;
use store::tables::{log_head_key, log_posting_key};
use store::{Key, Order, read};

use super::LogOrder;
use super::fields::value;
use super::plan::{Plan, Texts, text_key};
use crate::{Engine, Error};

/// Events read at once while a filter is at work.
pub(super) const EVENTS_PER_READ: usize = 250;
/// Segments of the first and of each further read of the index.
pub(super) const SEGMENTS_PER_READ: [usize; 2] = [8, 64];
/// New events that a search reads one by one; if there are more, it numbers them first.
const NEW_EVENTS_MAX: usize = 512;
/// How often a search is done again when blocks were merged under it.
pub(super) const ATTEMPTS_MAX: usize = 4;
/// The digits of an identifier before those of its date.
const ID_PREFIX: &str = "900";
/// Digits of an identifier. A bound that is none is left to the comparison.
const ID_DIGITS_MAX: usize = 64;

/// What is looked for.
pub(super) struct Wanted<'a> {
    pub(super) query: &'a Query,
    pub(super) order: LogOrder,
    /// Events at most.
    pub(super) count: usize,
    /// With fewer than these, a search that did not look at everything is refused.
    pub(super) must: usize,
}

impl Engine {
    /// The first events, up to a count, that the query lets pass.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it would look at too much.
    pub(super) async fn find_logs(&self, wanted: &Wanted<'_>) -> Result<Vec<LogEvent>, Error> {
        let (window, mut named) = (Window::of(wanted), Vec::new());
        let (found, complete) = match Plan::of(wanted.query.root(), &mut named) {
            Some(plan) => self.find_indexed(wanted, &window, &plan, &named).await?,
            None => self.find_one_by_one(wanted, &window).await?,
        };
        if !complete && found.len() < wanted.must {
            return Err(too_much());
        }
        Ok(found)
    }

    /// Answers also whether it looked at everything it had to.
    async fn find_one_by_one(
        &self,
        wanted: &Wanted<'_>,
        window: &Window,
    ) -> Result<(Vec<LogEvent>, bool), Error> {
        let begin = match wanted.order {
            LogOrder::NewestFirst => window.high.as_ref(),
            LogOrder::OldestFirst => window.low.as_ref(),
        };
        let mut cursor = begin.map(|text| read::cursor_after(&Key::of(text)));
        let (mut found, mut looked) = (Vec::new(), 0);
        while looked < LOG_SEARCH_EVENTS_MAX {
            let everything = *wanted.query == Query::default();
            let limit = if everything { wanted.count - found.len() } else { EVENTS_PER_READ };
            let page = self
                .store()
                .page_sharded::<LogEvent>(None, &Key::all(), cursor.as_deref(), limit, wanted.order.into())
                .await?;
            for event in page.items {
                if !window.has(&event.id) {
                    return Ok((found, true));
                }
                looked += 1;
                if fits(wanted.query, &event) {
                    found.push(event);
                }
                if found.len() >= wanted.count {
                    return Ok((found, true));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    async fn find_indexed(
        &self,
        wanted: &Wanted<'_>,
        window: &Window,
        plan: &Plan,
        named: &[LogId],
    ) -> Result<(Vec<LogEvent>, bool), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let mut new = self.new_logs(NEW_EVENTS_MAX + 1).await?;
            if new.len() > NEW_EVENTS_MAX {
                self.number_logs().await?;
                new = self.new_logs(NEW_EVENTS_MAX + 1).await?;
            }
            if new.len() > NEW_EVENTS_MAX {
                return Err(Error::Busy);
            }
            // An event only ever moves from the new ones to the head, from there to a block, from there to a segment.
            // Looking in this order misses none.
            let mut head: LogHead = self.store().get(&log_head_key()).await?.unwrap_or_default();
            if !head.caught_up {
                self.number_logs().await?;
                head = self.store().get(&log_head_key()).await?.unwrap_or_default();
            }
            if !head.caught_up {
                return Err(Error::Busy);
            }
            let mut hunt = Hunt::new(wanted, window);
            hunt.consider(new.iter().map(|event| event.id.clone()));
            hunt.consider(head.open.ids.iter().chain(named).cloned());
            hunt.known = new.into_iter().map(|event| (event.id.clone(), event)).collect();
            let complete = hunt.through_segments(self, plan).await?;
            let now: LogHead = self.store().get(&log_head_key()).await?.unwrap_or_default();
            if now.merged == head.merged {
                return Ok((hunt.found, complete));
            }
        }
        Err(Error::Busy)
    }

    async fn all_segments(&self) -> Result<Option<Vec<LogSegment>>, Error> {
        let (mut all, mut cursor) = (Vec::new(), None);
        while all.len() <= LOG_SEARCH_SEGMENTS_MAX {
            let page =
                self.store().page(None, &Key::all(), cursor.as_deref(), PAGE_MAX, Order::Ascending).await?;
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(Some(all));
            }
        }
        Ok(None)
    }
}

/// Why a search that would look at more is refused.
pub(super) fn too_much() -> Error {
    let reason = format!(
        "The search did not end within {LOG_SEARCH_EVENTS_MAX} events: narrow it with date:[… TO …] or with a field's \
         whole value"
    );
    Error::query(&reason, "q")
}

pub(super) fn fits(query: &Query, event: &LogEvent) -> bool {
    query.matches(|field| value(event, field))
}

/// Between which identifiers the wanted events lie, as far as the query says. What lies outside does not fit.
struct Window {
    /// None is lower.
    low: Option<String>,
    /// All are lower.
    high: Option<String>,
}

impl Window {
    fn of(wanted: &Wanted<'_>) -> Self {
        let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
        let id = |text: &&str| {
            !text.is_empty() && text.len() <= ID_DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let (first, last) = wanted.query.range("date");
        let (lowest, highest) = wanted.query.range("log_id");
        // Whatever begins with a text is higher than it, and lower than the text with something above digits behind it.
        let low = [
            first.map(|first| format!("{ID_PREFIX}{}", digits(first))),
            lowest.filter(id).map(|lowest| lowest[..lowest.len() - 1].to_owned()),
        ];
        let beyond = last.and_then(Timestamp::parse).map(|last| last.plus_millis(1).to_string());
        let high = [
            beyond.map(|beyond| format!("{ID_PREFIX}{}", digits(&beyond))),
            highest.filter(id).map(|highest| format!("{highest}!")),
        ];
        Self { low: low.into_iter().flatten().max(), high: high.into_iter().flatten().min() }
    }

    fn has(&self, id: &LogId) -> bool {
        !self.is_below(id) && self.high.as_ref().is_none_or(|high| id.as_str() < high.as_str())
    }

    fn is_below(&self, id: &LogId) -> bool {
        self.low.as_ref().is_some_and(|low| id.as_str() < low.as_str())
    }

    /// Whether a segment may hold something.
    fn touches(&self, segment: &LogSegment) -> bool {
        !self.is_below(&segment.ceiling)
            && self.high.as_ref().is_none_or(|high| segment.oldest.as_str() < high.as_str())
    }
}

/// What the index says about the terms in these segments.
pub(super) async fn texts<'s>(
    engine: &Engine,
    segments: impl Iterator<Item = &'s LogSegment>,
    terms: &[(&'static str, &str)],
) -> Result<Texts, Error> {
    let mut wanted = BTreeSet::new();
    for segment in segments {
        wanted.extend(terms.iter().map(|(field, fingerprint)| text_key(segment, field, fingerprint)));
    }
    let keys: Vec<Key> =
        wanted.iter().map(|(first, field, bucket)| log_posting_key(*first, field, bucket)).collect();
    let found = engine.store().get_many::<LogPosting>(&keys).await?;
    Ok(wanted.into_iter().zip(found).filter_map(|(at, posting)| Some((at, posting?.text))).collect())
}

/// A segment, and the identifier beyond which nothing follows after it; `None`: nothing follows at all.
type Reached = (LogSegment, Option<LogId>);

/// One search under way.
struct Hunt<'a> {
    wanted: &'a Wanted<'a>,
    window: &'a Window,
    /// Events that may fit, and are not looked at yet.
    candidates: BTreeSet<LogId>,
    /// Events that are read already.
    known: HashMap<LogId, LogEvent>,
    found: Vec<LogEvent>,
    looked: usize,
}

impl<'a> Hunt<'a> {
    fn new(wanted: &'a Wanted<'a>, window: &'a Window) -> Self {
        let (candidates, known, found) = (BTreeSet::new(), HashMap::new(), Vec::new());
        Self { wanted, window, candidates, known, found, looked: 0 }
    }

    fn consider(&mut self, ids: impl IntoIterator<Item = LogId>) {
        self.candidates.extend(ids.into_iter().filter(|id| self.window.has(id)));
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.wanted.count
    }

    fn is_over(&self) -> bool {
        self.is_full() || self.looked >= LOG_SEARCH_EVENTS_MAX
    }

    /// Goes through the segments until there is enough; answers whether it looked at everything it had to.
    async fn through_segments(&mut self, engine: &Engine, plan: &Plan) -> Result<bool, Error> {
        let terms = plan.terms();
        let Some(mut segments) = Segments::open(engine, self.wanted.order).await? else { return Ok(false) };
        let mut read = SEGMENTS_PER_READ.into_iter().chain(std::iter::repeat(SEGMENTS_PER_READ[1]));
        loop {
            let batch = segments.next(engine, plan.segments_per_read(read.next().unwrap_or(1))).await?;
            let Some((_, last_reach)) = batch.last() else {
                self.judge(engine, None).await?;
                return Ok(self.is_full() || self.candidates.is_empty());
            };
            let past = last_reach.is_none();
            let touched =
                batch.iter().map(|(segment, _)| segment).filter(|segment| self.window.touches(segment));
            let texts = texts(engine, touched, &terms).await?;
            let mut places = Vec::new();
            for (at, (segment, reach)) in batch.iter().enumerate() {
                if self.window.touches(segment) {
                    let own = plan.places(segment, &texts);
                    places.extend(own.iter().map(|place| (segment.first, place)));
                }
                let enough = self.found.len() + self.candidates.len() + places.len() >= self.wanted.count;
                if enough || at + 1 == batch.len() {
                    self.resolve(engine, std::mem::take(&mut places)).await?;
                    self.judge(engine, reach.as_ref()).await?;
                }
                if self.is_over() {
                    return Ok(self.is_full());
                }
                let below = reach.as_ref().is_some_and(|reach| self.window.is_below(reach));
                if below && self.wanted.order == LogOrder::NewestFirst {
                    self.resolve(engine, std::mem::take(&mut places)).await?;
                    self.judge(engine, None).await?;
                    return Ok(self.is_full() || self.candidates.is_empty());
                }
            }
            if past {
                self.judge(engine, None).await?;
                return Ok(self.is_full() || self.candidates.is_empty());
            }
            if segments.passed > LOG_SEARCH_SEGMENTS_MAX {
                return Ok(false);
            }
        }
    }

    /// Makes candidates of the events at these places, each counted from its segment's first block.
    async fn resolve(&mut self, engine: &Engine, places: Vec<(u64, usize)>) -> Result<(), Error> {
        let mut by_block: HashMap<u64, Vec<usize>> = HashMap::new();
        for (first, place) in places {
            let block = first + u64::try_from(place / LOG_BLOCK_EVENTS).unwrap_or_default();
            by_block.entry(block).or_default().push(place % LOG_BLOCK_EVENTS);
        }
        let numbers: Vec<u64> = by_block.keys().copied().collect();
        for numbers in numbers.chunks(PAGE_MAX) {
            let keys: Vec<Key> = numbers.iter().map(Key::of).collect();
            for block in engine.store().get_many::<LogBlock>(&keys).await?.into_iter().flatten() {
                let places = by_block.remove(&block.number).unwrap_or_default();
                self.consider(places.into_iter().filter_map(|place| block.ids.get(place).cloned()));
            }
        }
        Ok(())
    }

    /// Looks at the candidates, in order, up to what may still come: at `reach` or behind it. `None`: at all of them.
    async fn judge(&mut self, engine: &Engine, reach: Option<&LogId>) -> Result<(), Error> {
        while !self.is_over() {
            let chunk = (self.wanted.count - self.found.len()).clamp(16, EVENTS_PER_READ);
            let ids: Vec<LogId> = std::iter::from_fn(|| self.take(reach)).take(chunk).collect();
            if ids.is_empty() {
                return Ok(());
            }
            self.looked += ids.len();
            let unknown: Vec<LogId> = ids.iter().filter(|id| !self.known.contains_key(id)).cloned().collect();
            for event in engine.load_logs(&unknown).await? {
                self.known.insert(event.id.clone(), event);
            }
            for id in &ids {
                let Some(event) = self.known.remove(id) else { continue };
                if !self.is_full() && fits(self.wanted.query, &event) {
                    self.found.push(event);
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, reach: Option<&LogId>) -> Option<LogId> {
        match self.wanted.order {
            LogOrder::NewestFirst => {
                let next = self.candidates.last()?;
                if reach.is_none_or(|reach| next > reach) { self.candidates.pop_last() } else { None }
            }
            LogOrder::OldestFirst => {
                let next = self.candidates.first()?;
                if reach.is_none_or(|reach| next < reach) { self.candidates.pop_first() } else { None }
            }
        }
    }
}

/// The segments, from the end that comes first.
struct Segments {
    /// All of them, where the oldest come first: how low those behind reach is known only then.
    all: Option<VecDeque<Reached>>,
    cursor: Option<String>,
    passed: usize,
}

impl Segments {
    /// `None`: there are too many.
    async fn open(engine: &Engine, order: LogOrder) -> Result<Option<Self>, Error> {
        if order == LogOrder::NewestFirst {
            return Ok(Some(Self { all: None, cursor: None, passed: 0 }));
        }
        let Some(segments) = engine.all_segments().await? else { return Ok(None) };
        let (mut all, mut lowest) = (VecDeque::with_capacity(segments.len()), None::<LogId>);
        for segment in segments.into_iter().rev() {
            let reach = lowest.clone();
            lowest = Some(lowest.map_or(segment.oldest.clone(), |lowest| lowest.min(segment.oldest.clone())));
            all.push_front((segment, reach));
        }
        Ok(Some(Self { all: Some(all), cursor: None, passed: 0 }))
    }

    /// The next few.
    async fn next(&mut self, engine: &Engine, count: usize) -> Result<Vec<Reached>, Error> {
        if let Some(all) = &mut self.all {
            return Ok(all.drain(..count.min(all.len())).collect());
        }
        if self.passed > 0 && self.cursor.is_none() {
            return Ok(Vec::new());
        }
        let cursor = self.cursor.take();
        let page = engine
            .store()
            .page::<LogSegment>(None, &Key::all(), cursor.as_deref(), count, Order::Descending)
            .await?;
        self.cursor = page.next;
        self.passed += page.items.len();
        Ok(page
            .items
            .into_iter()
            .map(|segment| {
                let reach = segment.before.clone();
                (segment, reach)
            })
            .collect())
    }
}
