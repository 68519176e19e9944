//! The trait, and its erased twin.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{CheckContext, CheckMeta, Outcome};

/// Proves one thing about the world.
///
/// Implementors write a plain `async fn`:
///
/// ```
/// use tria_check::{Check, CheckContext, CheckMeta, Code, Finding, Outcome};
///
/// const LOW: Code = Code::new("stock_low");
///
/// struct Shelf { meta: CheckMeta, boxes: u32 }
///
/// impl Check for Shelf {
///     fn meta(&self) -> &CheckMeta { &self.meta }
///     async fn check(&self, _cx: &CheckContext) -> Outcome {
///         let finding = if self.boxes < 10 {
///             Finding::warn(LOW, "few boxes are left").remedy("order boxes")
///         } else {
///             Finding::pass("the shelf is full")
///         };
///         Outcome::from(finding).observe("boxes", self.boxes, "")
///     }
/// }
/// ```
///
/// A check never retries, sleeps, caches or logs its own failure, and opens no pool of its own.
/// Its future may be dropped at any await point.
pub trait Check: Send + Sync + 'static {
    /// What the check says of itself; the same at every call.
    fn meta(&self) -> &CheckMeta;

    /// Proves it once. A failing dependency is an [`Outcome`], never a panic.
    fn check(&self, cx: &CheckContext) -> impl Future<Output = Outcome> + Send;
}

impl<C: Check> Check for Arc<C> {
    fn meta(&self) -> &CheckMeta {
        (**self).meta()
    }

    fn check(&self, cx: &CheckContext) -> impl Future<Output = Outcome> + Send {
        (**self).check(cx)
    }
}

/// The twin of [`Check`] that can be a trait object; the registry erases each check once.
pub(crate) trait ErasedCheck: Send + Sync + 'static {
    fn check_boxed<'a>(&'a self, cx: &'a CheckContext) -> BoxFuture<'a, Outcome>;
}

impl<C: Check> ErasedCheck for C {
    fn check_boxed<'a>(&'a self, cx: &'a CheckContext) -> BoxFuture<'a, Outcome> {
        Box::pin(self.check(cx))
    }
}
