//! Tenants and databases.

use serde::{Deserialize, Serialize};

use crate::{ChromaClient, Error};

/// The tenant that every server has.
pub const DEFAULT_TENANT: &str = "default_tenant";
/// The database that every default tenant has.
pub const DEFAULT_DATABASE: &str = "default_database";

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Tenant {
    /// Its name.
    pub name: String,
}

/// A database of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Database {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The tenant that it belongs to.
    pub tenant: String,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

// === impl ChromaClient ===

impl ChromaClient {
    /// A tenant by its name.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none; otherwise as any request.
    pub async fn get_tenant(&self, name: &str) -> Result<Tenant, Error> {
        self.get_json(self.endpoint(&["tenants", name])?).await
    }

    /// Creates a tenant; the server wants three characters or more.
    ///
    /// # Errors
    /// [`Error::is_already_exists`] when the name is taken; otherwise as any request.
    pub async fn create_tenant(&self, name: &str) -> Result<(), Error> {
        self.post(self.endpoint(&["tenants"])?, &Name { name })
            .await
    }

    /// A database of this client's tenant. The server says the same for a missing tenant as for a
    /// missing database; ask for the tenant first to tell them apart.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none; otherwise as any request.
    pub async fn get_database(&self, name: &str) -> Result<Database, Error> {
        self.get_json(self.endpoint(&["tenants", self.tenant(), "databases", name])?)
            .await
    }

    /// Creates a database in this client's tenant. The server does not ask whether the tenant
    /// exists.
    ///
    /// # Errors
    /// [`Error::is_already_exists`] when the name is taken; otherwise as any request.
    pub async fn create_database(&self, name: &str) -> Result<(), Error> {
        let url = self.endpoint(&["tenants", self.tenant(), "databases"])?;
        self.post(url, &Name { name }).await
    }

    /// Deletes a database of this client's tenant with all that is in it. While others write to the
    /// server, 1.5.9 may answer status 500 "database is locked", which is transient.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none; otherwise as any request.
    pub async fn delete_database(&self, name: &str) -> Result<(), Error> {
        self.delete(self.endpoint(&["tenants", self.tenant(), "databases", name])?)
            .await
    }
}
