//! The vector collections that the application needs.

use tria_chroma::{ChromaClient, Error, NewCollection, Space};

/// What the company tells its customers: documents cut into pieces.
pub const KNOWLEDGE: &str = "tria_knowledge";

/// The catalogue, one record for each product.
pub const PRODUCTS: &str = "tria_products";

/// All collections. Their dimension is that of the embedding model, and is fixed by the first
/// record.
pub const COLLECTIONS: [&str; 2] = [KNOWLEDGE, PRODUCTS];

/// Creates the collections that are missing, and gives their names. Distances are cosines; a
/// collection that exists is left as it is. Two servers may do so at once.
///
/// # Errors
/// As any request to ChromaDB.
pub async fn ensure_collections(chroma: &ChromaClient) -> Result<Vec<&'static str>, Error> {
    let mut created = Vec::new();
    for name in COLLECTIONS {
        match chroma.get_collection(name).await {
            Ok(_exists) => {}
            Err(error) if error.is_not_found() => {
                let new = NewCollection::new(name).space(Space::Cosine);
                chroma.get_or_create_collection(&new).await?;
                created.push(name);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(created)
}
