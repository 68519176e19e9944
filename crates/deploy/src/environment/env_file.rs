//! The file with the environment of a deployment.

mod making;
mod reading;

pub use self::{
    making::{MakeError, NewEnvFile},
    reading::{EnvFileError, is_open_to_others, read},
};
