//! What the words before a number say about it.

/// What a number is announced as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    Phone,
    NationalId,
    /// Something of the business: an order, a product, an amount.
    Business,
    /// Nothing that is known.
    Not,
}

/// How many words before a number are looked at: `my phone number here is`.
const WORDS: usize = 5;
/// And for what would keep a number from being masked: `order number`.
const WORDS_OF_BUSINESS: usize = 2;
/// And how many bytes.
const FAR: usize = 80;

const PHONE: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "call",
    "ring",
    "text",
    "sms",
    "whatsapp",
    "fax",
    "handy",
    "telefon",
    "telefono",
    "teléfono",
    "téléphone",
    "telefone",
    "portable",
    "móvil",
    "movil",
    "celular",
    "cellulare",
    "mobil",
    "rufnummer",
];
const NATIONAL_ID: &[&str] = &[
    "ssn",
    "social",
    "national",
    "identity",
    "passport",
    "nric",
    "mykad",
    "nino",
    "dni",
    "nie",
    "cpr",
    "aadhaar",
    "personnummer",
    "personalausweis",
    "reisepass",
    "ausweis",
    "pasaporte",
    "passeport",
    "passaporto",
];
const BUSINESS: &[&str] = &[
    "order",
    "orders",
    "invoice",
    "po",
    "ref",
    "reference",
    "sku",
    "item",
    "items",
    "product",
    "article",
    "code",
    "quantity",
    "qty",
    "total",
    "delivery",
    "tracking",
    "barcode",
    "ean",
    "upc",
    "gtin",
    "batch",
    "lot",
    "vat",
    "abn",
    "account",
    "bestellung",
    "rechnung",
    "pedido",
    "factura",
    "commande",
    "facture",
    "ordine",
    "fattura",
];

/// What the nearest word that is known announces, at the end of what stands before a number and
/// within the same line and sentence.
pub(super) fn announced(before: &str) -> Announced {
    let near = before.floor_char_boundary(before.len().saturating_sub(FAR));
    let line = before[near..].rsplit(['\n', ']', ';', '!', '?']).next();
    // Numbers count as words: what was announced before others is not this one.
    let words = line
        .unwrap_or_default()
        .rsplit(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    for (distance, word) in words.take(WORDS).enumerate() {
        let word = word.to_lowercase();
        let word = word.as_str();
        if distance < WORDS_OF_BUSINESS && BUSINESS.contains(&word) {
            return Announced::Business;
        } else if PHONE.contains(&word) {
            return Announced::Phone;
        } else if NATIONAL_ID.contains(&word) {
            return Announced::NationalId;
        }
    }
    Announced::Not
}
