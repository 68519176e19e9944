//! From a driver's error to a fault.

use std::{error::Error, io, sync::Arc};

use deadpool_redis::{
    HookError, PoolError, TimeoutType,
    redis::{ErrorKind, RedisError, ServerError},
};
use tria_check::PrivateText;

use crate::fault::Fault;

/// A fault, and what operators may read about it.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) fault: Fault,
    pub(crate) detail: PrivateText,
}

/// What was under way when an error came; it decides what a timeout means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    Connecting,
    Asking,
}

/// The first byte of a TLS alert, with which a TLS server refuses plain text.
const TLS_ALERT: &str = "Unexpected `21`";

// === impl Diagnosis ===

impl Diagnosis {
    pub(crate) fn of_pool(error: &PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::of_redis(error, Stage::Connecting)
            }
            PoolError::Closed => Self::new(Fault::POOL_CLOSED, error),
            PoolError::Timeout(TimeoutType::Wait | TimeoutType::Create | TimeoutType::Recycle) => {
                Self::new(Fault::CONNECT_TIMEOUT, error)
            }
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(HookError::Message(_)) => {
                Self::new(Fault::CONNECT_FAILED, error)
            }
        }
    }

    pub(crate) fn of_redis(error: &RedisError, stage: Stage) -> Self {
        let fault = match error.kind() {
            // The driver keeps no more of the server's answer than this.
            ErrorKind::AuthenticationFailed => Fault::AUTH_FAILED,
            ErrorKind::RESP3NotSupported => Fault::VERSION_TOO_OLD,
            ErrorKind::Server(_) | ErrorKind::Extension => return Self::of_answer(error),
            ErrorKind::Parse if error.to_string().contains(TLS_ALERT) => Fault::TLS_EXPECTED,
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Fault::NOT_REDIS,
            ErrorKind::Io => io_fault(error, stage),
            ErrorKind::InvalidClientConfig if error.to_string().contains("No address found") => {
                Fault::DNS_FAILED
            }
            ErrorKind::InvalidClientConfig => Fault::TLS_SETUP,
            ErrorKind::Client if cause::<rustls::Error>(error).is_some() => Fault::TLS_SETUP,
            _ => Fault::SERVER_ERROR,
        };
        Self::new(fault, error)
    }

    pub(crate) fn of_server(error: &ServerError) -> Self {
        let (code, text) = (error.code(), error.details().unwrap_or_default());
        Self {
            fault: answer_fault(code, text),
            detail: answer_detail(code, text),
        }
    }

    pub(crate) fn new(fault: Fault, error: &dyn Error) -> Self {
        let detail = PrivateText::from_error(error);
        Self { fault, detail }
    }

    fn of_answer(error: &RedisError) -> Self {
        let code = error.code().unwrap_or("ERR");
        let text = error.detail().unwrap_or_default();
        Self {
            fault: answer_fault(code, text),
            detail: answer_detail(code, text),
        }
    }
}

/// What an error reply of the server means.
fn answer_fault(code: &str, text: &str) -> Fault {
    match code {
        "NOAUTH" => Fault::AUTH_REQUIRED,
        "WRONGPASS" => Fault::AUTH_FAILED,
        "NOPERM" if text.contains("access") && text.contains("key") => Fault::KEY_DENIED,
        "NOPERM" => Fault::COMMAND_DENIED,
        "DENIED" => Fault::PROTECTED_MODE,
        "LOADING" => Fault::LOADING,
        "READONLY" => Fault::READ_ONLY,
        "MASTERDOWN" => Fault::MASTER_DOWN,
        "NOREPLICAS" => Fault::NO_REPLICAS,
        "MISCONF" => Fault::PERSISTENCE_FAILING,
        "OOM" => Fault::OUT_OF_MEMORY,
        "BUSY" => Fault::BUSY,
        "CLUSTERDOWN" => Fault::CLUSTER_DOWN,
        "MOVED" | "ASK" | "CROSSSLOT" => Fault::CLUSTER,
        _ => uncoded_fault(text),
    }
}

/// What an error reply without a code of its own means; their texts have not changed since
/// Redis 6, and Valkey keeps them.
fn uncoded_fault(text: &str) -> Fault {
    let holds = |part: &str| text.contains(part);
    if holds("max number of clients") {
        Fault::MAX_CLIENTS
    } else if holds("DB index is out of range") || holds("invalid DB index") {
        Fault::DB_OUT_OF_RANGE
    } else if holds("SELECT is not allowed in cluster mode") {
        Fault::CLUSTER
    } else if holds("unknown command") && holds("HELLO") {
        Fault::VERSION_TOO_OLD
    } else if holds("unknown command") {
        Fault::COMMAND_UNAVAILABLE
    } else {
        Fault::SERVER_ERROR
    }
}

/// The server's words, as far as they cannot repeat arguments: servers quote the arguments of a
/// command that they do not know, and those of `HELLO 3 AUTH` hold the password.
fn answer_detail(code: &str, text: &str) -> PrivateText {
    let safe = match code {
        "ERR" => text
            .split(['\'', '"', '`', ',', ':'])
            .next()
            .unwrap_or_default(),
        _ => text,
    };
    PrivateText::new(format!("{code} {safe}").trim_end())
}

fn io_fault(error: &RedisError, stage: Stage) -> Fault {
    // The driver also files under I/O what is not: unreadable authorities, an impossible name.
    let Some(io) = cause::<io::Error>(error) else {
        return Fault::TLS_SETUP;
    };
    if let Some(tls) = io
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return tls_fault(tls);
    }
    match io.kind() {
        io::ErrorKind::ConnectionRefused => Fault::CONNECT_REFUSED,
        io::ErrorKind::TimedOut => match stage {
            Stage::Connecting => Fault::CONNECT_TIMEOUT,
            Stage::Asking => Fault::RESPONSE_TIMEOUT,
        },
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => Fault::CONNECTION_CLOSED,
        // The standard library gives failed look-ups no kind of their own.
        _ if io.to_string().contains("failed to lookup address") => Fault::DNS_FAILED,
        _ => Fault::CONNECT_FAILED,
    }
}

fn tls_fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Fault::TLS_CERTIFICATE
        }
        rustls::Error::InvalidMessage(_) => Fault::TLS_NOT_SPOKEN,
        _ => Fault::TLS_REFUSED,
    }
}

/// The error of type `E` that the driver wraps, which hands it out inside an [`Arc`].
fn cause<E: Error + 'static>(error: &RedisError) -> Option<&E> {
    let source = error.source()?;
    match source.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        Some(shared) => shared.downcast_ref(),
        None => source.downcast_ref(),
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
