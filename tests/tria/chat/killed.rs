//! `kill -9` in the midst of orders.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tria_tests::{ClosedPort, Door, Post, Reply, Shop};

/// Customers, each of whom places one order after the other.
const CUSTOMERS: usize = 8;

/// Sold in such numbers that they suffice.
const PRODUCTS: [&str; 6] = [
    "pizza savers",
    "paper straws",
    "wooden forks",
    "wooden knives",
    "wooden spoons",
    "white napkins",
];

/// How long clients wait before they try again.
const PAUSE: Duration = Duration::from_millis(50);

/// How long after it is ready a server lives at most.
const LIFE: Duration = Duration::from_millis(800);

/// Longer than a request may take to be answered after all: the lease of a dead process is 30 s.
const LONG: Duration = Duration::from_secs(120);

/// How often a server is killed, and what is ordered meanwhile.
#[derive(Clone, Copy)]
struct Plan {
    kills: usize,
    /// There are more where the kills take longer.
    orders: usize,
    /// Whether Redis forgets everything at the last kill. Otherwise what was at work then waits
    /// until the leases of the dead run out.
    redis_forgets: bool,
}

/// What customers share.
struct Rush {
    door: Door,
    placed: AtomicUsize,
    wanted: usize,
    kills_are_over: AtomicBool,
}

/// What one customer met.
#[derive(Default)]
struct Met {
    /// Each request with its answer.
    answered: Vec<(Post, Reply)>,
    /// How often a request was sent.
    sent: usize,
    /// How often there was no answer.
    lost: usize,
    /// How often there was one of these, and not 200.
    refused: BTreeMap<u16, usize>,
    /// The longest time from the first try to the answer.
    longest: Duration,
}

fn random(below: Duration) -> Duration {
    let share = u32::try_from(RandomState::new().hash_one(()) % 1_000).unwrap_or(0);
    below * share / 1_000
}

// === impl Rush ===

impl Rush {
    fn is_over(&self) -> bool {
        self.kills_are_over.load(SeqCst) && self.placed.load(SeqCst) >= self.wanted
    }

    async fn customer(self: Arc<Self>, number: usize) -> Met {
        let mut met = Met::default();
        for order in 0.. {
            if self.is_over() {
                break;
            }
            let packs = 2 + order % 2;
            let product = PRODUCTS[(number + order) % PRODUCTS.len()];
            let message = format!("{packs} packs of {product} for Napoli Express");
            let post = Post::of(&format!("user-{number}"), &message);
            let begun = Instant::now();
            let said = timeout(LONG, self.until_answered(&post, &mut met)).await;
            let said = said.unwrap_or_else(|_| panic!("{message} is not answered"));
            met.longest = met.longest.max(begun.elapsed());
            met.answered.push((post, said));
            self.placed.fetch_add(1, SeqCst);
        }
        met
    }

    async fn until_answered(&self, post: &Post, met: &mut Met) -> Reply {
        loop {
            met.sent += 1;
            match self.door.try_ask(post).await {
                Ok(said) if said.status == 200 => return said,
                Ok(said) => *met.refused.entry(said.status).or_default() += 1,
                Err(_) => met.lost += 1,
            }
            sleep(PAUSE).await;
        }
    }
}

// === impl Plan ===

impl Plan {
    /// Carries it out, and gives what customers met.
    async fn run(self) -> Met {
        let mut shop = Shop::new().await;
        let port = ClosedPort::take();
        shop.fixture
            .set("PORT", port.number().to_string())
            .set("RATE_LIMIT_PER_USER", "0")
            .set("RATE_LIMIT_PER_ADDRESS", "0");
        let before = stock(&shop).await;
        let (mut running, url) = shop.open();
        let rush = Arc::new(Rush {
            door: Door::of(&url),
            placed: AtomicUsize::new(0),
            wanted: self.orders,
            kills_are_over: AtomicBool::new(false),
        });
        let mut customers = JoinSet::new();
        for number in 0..CUSTOMERS {
            customers.spawn(Arc::clone(&rush).customer(number));
        }
        for kill in 1..=self.kills {
            sleep(random(LIFE)).await;
            running.signal("KILL");
            assert_eq!(running.ended().code, None);
            if kill == self.kills && self.redis_forgets {
                shop.empty_redis().await;
            }
            (running, _) = shop.open();
        }
        rush.kills_are_over.store(true, SeqCst);
        let mut met = Met::default();
        for of_one in customers.join_all().await {
            met.add(of_one);
        }
        expect_each_order_once(&shop, &met, &before).await;
        // Whoever lost the answer finds it.
        for (post, said) in &met.answered {
            let again = rush.door.ask(post).await;
            assert_eq!(again.bytes, said.bytes, "{}", again.body);
        }
        expect_each_order_once(&shop, &met, &before).await;
        met
    }
}

// === impl Met ===

impl Met {
    fn add(&mut self, other: Self) {
        self.answered.extend(other.answered);
        self.sent += other.sent;
        self.lost += other.lost;
        for (status, times) in other.refused {
            *self.refused.entry(status).or_default() += times;
        }
        self.longest = self.longest.max(other.longest);
    }
}

async fn stock(shop: &Shop) -> Value {
    let stock = shop.rows("SELECT jsonb_object_agg(sku, stock) AS stock FROM products");
    stock.await.remove(0)["stock"].take()
}

/// One order for each request, with everything that belongs to it and nothing twice.
async fn expect_each_order_once(shop: &Shop, met: &Met, before: &Value) {
    let keys = met.answered.len();
    let told: BTreeSet<&str> = met
        .answered
        .iter()
        .filter_map(|(_, said)| said.order())
        .collect();
    assert_eq!(
        told.len(),
        keys,
        "an answer without an order, or one order in two answers"
    );
    let orders = shop.rows("SELECT id FROM orders").await;
    let kept: BTreeSet<&str> = orders.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(kept, told);
    let keys = i64::try_from(keys).unwrap();
    for (what, times) in [
        ("delivery_orders", 1),
        ("invoices", 1),
        ("order_items", 1),
        ("conversation_sessions WHERE turns = 1 AND orders = 1", 1),
        ("conversation_sessions", 1),
        ("conversation_messages", 2),
        ("chat_answers", 1),
    ] {
        assert_eq!(shop.count(what).await, keys * times, "{what}");
    }
    for odd in [
        "orders o WHERE 1 <> (SELECT count(*) FROM delivery_orders WHERE order_id = o.id)
            OR 1 <> (SELECT count(*) FROM invoices i WHERE i.order_id = o.id AND i.total = o.total)",
        "conversation_sessions s WHERE
            (SELECT array_agg(role ORDER BY id) FROM conversation_messages WHERE session_id = s.id)
            <> '{user,assistant}'",
        "user_interaction_summaries u WHERE (messages, sessions, orders, spent) <>
            (SELECT count(*), count(*), count(*), sum(total) FROM orders WHERE user_id = u.user_id)",
    ] {
        assert_eq!(shop.count(odd).await, 0, "{odd}");
    }
    let sold = shop.rows("SELECT sku, sum(quantity) AS packs FROM order_items GROUP BY sku");
    let mut left = before.clone();
    for row in sold.await {
        let left = &mut left[row["sku"].as_str().unwrap()];
        *left = (left.as_i64().unwrap() - row["packs"].as_i64().unwrap()).into();
    }
    assert_eq!(stock(shop).await, left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_server_is_killed_each_order_is_placed_once() {
    let plan = Plan {
        kills: 5,
        orders: 40,
        redis_forgets: true,
    };
    let met = plan.run().await;
    assert!(met.lost > 0, "no request was under way at a kill");
}

/// `cargo test -p tria-tests -- --ignored --nocapture killed` shows its figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn the_same_fifty_times_over_five_hundred_orders() {
    let plan = Plan {
        kills: 50,
        orders: 500,
        redis_forgets: false,
    };
    let begun = Instant::now();
    let met = plan.run().await;
    println!(
        "{} kills, {} orders, each once, in {:.0?}; {} requests sent, {} without an answer, \
         refused {:?}; the longest wait for an answer {:.1?}",
        plan.kills,
        met.answered.len(),
        begun.elapsed(),
        met.sent,
        met.lost,
        met.refused,
        met.longest
    );
}
