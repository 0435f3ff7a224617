//! The producer of a sink. If a call does not return, the sink can abandon the call and the producer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::outcome::{TransactError, is_refusal};
use super::{HURRY, SinkSettings};
use crate::acl::{Operation, Resource, Right};
use crate::client::Context;
use crate::error::code;
use crate::{ClientSettings, KafkaError};

type Client = BaseProducer<Context<Deliveries>>;

/// The first refused record of the current transaction, if the broker refused one. Only a record that the broker would
/// refuse again counts.
#[derive(Default)]
pub(super) struct Deliveries(Mutex<Option<Refusal>>);

/// The topic of a refused record, and the error code.
type Refusal = (String, RDKafkaErrorCode);

impl Deliveries {
    /// Forgets the refused record of the previous transaction.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ProducerContext for Context<Deliveries> {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.count();
        if let Err((error, record)) = result {
            let code = code(error);
            if is_refusal(code) {
                let mut first = self.role.0.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| (record.topic().to_owned(), code));
            }
        }
    }
}

/// A shared producer. While a call is in progress, the thread of the call holds a second reference to it.
pub(super) struct Handle {
    client: Option<Arc<Client>>,
    time_limit: Duration,
    hurry: Arc<AtomicBool>,
}

impl Handle {
    pub(super) fn open(client: &ClientSettings, settings: &SinkSettings) -> Result<Self, KafkaError> {
        let timeout = settings.transaction_timeout.as_millis().to_string();
        let defaults = [
            ("compression.codec", "lz4"),
            // keep this delay short, because the records of a transaction are queued together and the commit waits for
            // them
            ("linger.ms", "5"),
        ];
        let fixed = [
            ("transactional.id", settings.transactional_id.as_str()),
            ("transaction.timeout.ms", &timeout),
            // the default partitioner of Java clients: a client that computes the partition of a rollup from its key
            // finds the rollup in that partition
            ("partitioner", "murmur2_random"),
        ];
        let config = client.config(&defaults, &fixed)?;
        let producer = config.create_with_context(Context::default())?;
        let hurry = Arc::clone(&settings.hurry);
        let handle = Self { client: Some(Arc::new(producer)), time_limit: settings.time_limit, hurry };
        let right = || Right {
            resource: Resource::TransactionalIds(settings.transactional_id.clone()),
            operation: Operation::Write,
        };
        handle.init(settings).map_err(|error| error.forbids(&client.principal(), right))?;
        Ok(handle)
    }

    /// Initializes transactions. Retries up to three times, because the transaction coordinator may be moving to
    /// another broker.
    fn init(&self, settings: &SinkSettings) -> Result<(), KafkaError> {
        let time_limit = self.time_limit;
        let what = || format!("initialize transactional id {}", settings.transactional_id);
        let outcome = self.run(move |producer| {
            let slice = (time_limit / 4).max(Duration::from_secs(1));
            let mut last = producer.init_transactions(slice);
            for _ in 0..3 {
                match &last {
                    Err(rdkafka::error::KafkaError::Transaction(error)) if error.is_retriable() => {}
                    _ => break,
                }
                last = producer.init_transactions(slice);
            }
            last
        });
        match outcome {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(KafkaError::of(what(), &error)),
            None => Err(KafkaError::coded(what(), RDKafkaErrorCode::OperationTimedOut)),
        }
    }

    pub(super) fn client(&self) -> &Client {
        self.client.as_deref().unwrap_or_else(|| unreachable!("the value exists until it is dropped"))
    }

    pub(super) fn deliveries(&self) -> &Deliveries {
        &self.client().context().role
    }

    /// Runs a call in a separate thread, because it may hang, and waits for its result until the time-out. Returns
    /// [`TransactError::Unknown`] if the call did not return in time.
    pub(super) fn call(
        &self,
        call: impl FnOnce(&Client) -> Result<(), TransactError> + Send + 'static,
    ) -> Result<(), TransactError> {
        match self.run(call) {
            Some(result) => result,
            None if self.hurry.load(Ordering::Relaxed) => {
                Err(TransactError::Unknown("no response before shutdown".into()))
            }
            None => {
                Err(TransactError::Unknown(format!("no response within {} s", self.time_limit.as_secs())))
            }
        }
    }

    /// Runs a call in a separate thread. Returns `None` if the call did not return in time.
    fn run<T: Send + 'static>(&self, call: impl FnOnce(&Client) -> T + Send + 'static) -> Option<T> {
        let (sender, receiver) = mpsc::channel();
        let client = Arc::clone(self.client.as_ref()?);
        // fault points belong to the thread of a stage, so the new thread has the same name
        let name = thread::current().name().unwrap_or("sink").to_owned();
        let spawned = thread::Builder::new().name(name).spawn(move || {
            let result = call(&client);
            // Drop this reference before sending the result. Otherwise the receiver could drop its own reference
            // first, and this thread would then drop the last reference, which may block.
            drop(client);
            let _ = sender.send(result);
        });
        spawned.ok()?;
        // `abort_transaction` waits for the delivery reports of purged records, which arrive only if the producer is
        // polled at the same time
        const SLICE: Duration = Duration::from_millis(20);
        let (mut waited, mut hurried) = (Duration::ZERO, Duration::ZERO);
        while waited < self.time_limit && hurried < HURRY {
            match receiver.recv_timeout(SLICE) {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.client().poll(SLICE / 4),
            }
            waited += SLICE + SLICE / 4;
            if self.hurry.load(Ordering::Relaxed) {
                hurried += SLICE + SLICE / 4;
            }
        }
        None
    }
}

impl Drop for Handle {
    /// Drops the client in a separate thread, because dropping may wait for an unreachable broker.
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            thread::spawn(move || drop(client));
        }
    }
}
