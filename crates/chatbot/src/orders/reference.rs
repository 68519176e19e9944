//! Which order a customer's words name.
//!
//! A number alone is a quantity as often as it is an order. It is taken for an order only where
//! the words around it leave no doubt.

#[cfg(test)]
mod tests;

use uuid::Uuid;

/// What names an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Its id.
    Order(Uuid),
    /// The first eight hexadecimal digits of its id.
    OrderBeginning(u32),
    /// The number of its delivery, which customers call the number of the order, too.
    Delivery(i64),
    /// The number of its invoice.
    Invoice(i64),
}

/// The first reference to an order in a message.
pub fn reference_in(message: &str) -> Option<Reference> {
    let tokens = tokens(message);
    if let Some(reference) = alone(&tokens) {
        return Some(reference);
    }
    (0..tokens.len()).find_map(|at| {
        Place {
            tokens: &tokens,
            at,
        }
        .reference()
    })
}

/// A word, or a character that is none.
struct Token {
    text: String,
    /// No white space before it.
    is_glued: bool,
}

/// A token among others.
#[derive(Clone, Copy)]
struct Place<'a> {
    tokens: &'a [Token],
    at: usize,
}

/// What the words before a number announce.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Order,
    Delivery,
    Invoice,
}

/// Between its kind and a number: `order number`, `invoice no.`, `delivery ref:`.
const MARKS: &[&str] = &[
    "#",
    "№",
    "no",
    "nr",
    "num",
    "number",
    "nummer",
    "numero",
    "número",
    "numéro",
    "n",
    "nº",
    "id",
    "ref",
    "reference",
];
/// They may stand there, too, and say nothing.
const JOINTS: &[&str] = &[".", ":", "is", "was", "(", "°"];

/// Before `order` where it is a thing and not what somebody wants to do.
const DETERMINERS: &[&str] = &[
    "my",
    "our",
    "the",
    "this",
    "that",
    "about",
    "for",
    "of",
    "is",
    "are",
    "on",
    "re",
    "with",
    "regarding",
    "wheres",
    "track",
    "status",
    "in",
    "from",
    "cancel",
    "was",
    "has",
];

/// After a number that counts nothing: what became of a thing.
const BECAME: &[&str] = &[
    "is",
    "isnt",
    "was",
    "wasnt",
    "has",
    "hasnt",
    "had",
    "hadnt",
    "did",
    "didnt",
    "does",
    "doesnt",
    "not",
    "never",
    "still",
    "arrived",
    "arrive",
    "arriving",
    "came",
    "come",
    "shipped",
    "dispatched",
    "delivered",
    "went",
    "got",
    "will",
    "wont",
];
/// After a number that counts nothing, and only goes on.
const GOES_ON: &[&str] = &[
    "please", "pls", "plz", "yet", "and", "or", "but", "now", "today", "when", "where", "why",
    "what", "which", "that", "to", "from", "for", "at", "on", "be", "been", "should", "can",
    "could", "would", "i", "we", "thanks", "status", "late", "missing",
];

/// A message that is nothing but a number, as the answer to which order it is about.
fn alone(tokens: &[Token]) -> Option<Reference> {
    let number = match tokens {
        [number] => number,
        [mark, number] if mark.text == "#" => number,
        [number, end] if end.is_in(&[".", "!"]) => number,
        _ => return None,
    };
    let delivery = number.number().map(Reference::Delivery)?;
    // One id in forty begins with eight digits and no letter; ten million deliveries are none.
    let id = number.beginning().and_then(order_beginning);
    Some(id.unwrap_or(delivery))
}

fn order_beginning(digits: &str) -> Option<Reference> {
    let digits = u32::from_str_radix(digits, 16).ok()?;
    Some(Reference::OrderBeginning(digits))
}

fn tokens(message: &str) -> Vec<Token> {
    let lower = message.to_lowercase();
    let mut tokens: Vec<Token> = Vec::new();
    let (mut is_glued, mut open) = (false, false);
    let mut characters = lower.chars().peekable();
    while let Some(character) = characters.next() {
        if matches!(character, '\'' | '’') {
            continue;
        }
        if character.is_whitespace() {
            (is_glued, open) = (false, false);
            continue;
        }
        let joins = character == '-' && open;
        let is_word = character.is_alphanumeric()
            || (joins && characters.peek().is_some_and(|next| next.is_alphanumeric()));
        match tokens.last_mut() {
            Some(word) if is_word && open => word.text.push(character),
            _ => tokens.push(Token {
                text: character.into(),
                is_glued,
            }),
        }
        (is_glued, open) = (true, is_word);
    }
    tokens
}

// === impl Token ===

impl Token {
    fn is_in(&self, list: &[&str]) -> bool {
        list.contains(&self.text.as_str())
    }

    /// A number that something in the database may have.
    fn number(&self) -> Option<i64> {
        let all_digits = self.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = self.text.parse().ok().filter(|number| *number > 0);
        number.filter(|_| all_digits)
    }

    /// The number of `d-12` or `inv-12`.
    fn number_after(&self, prefix: &str) -> Option<i64> {
        let (before, digits) = self.text.split_once('-')?;
        let digits = Token {
            text: digits.to_owned(),
            is_glued: true,
        };
        digits.number().filter(|_| before == prefix)
    }

    /// The first eight digits of an id that is told in part, or to the end.
    fn beginning(&self) -> Option<&str> {
        let first = self.text.split('-').next()?;
        let hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        (first.len() == 8 && self.text.bytes().all(hex)).then_some(first)
    }

    fn kind(&self) -> Option<Kind> {
        match self.text.as_str() {
            "order" | "orders" | "po" | "bestellung" | "bestelling" | "pedido" | "encomenda"
            | "commande" | "ordine" => Some(Kind::Order),
            "delivery" | "deliveries" | "shipment" | "consignment" | "lieferung" | "levering"
            | "entrega" | "livraison" | "consegna" => Some(Kind::Delivery),
            "invoice" | "invoices" | "inv" | "rechnung" | "factuur" | "factura" | "fatura"
            | "facture" | "fattura" => Some(Kind::Invoice),
            _ => None,
        }
    }
}

// === impl Place ===

impl<'a> Place<'a> {
    fn reference(self) -> Option<Reference> {
        let token = &self.tokens[self.at];
        if matches!(token.text.len(), 32 | 36)
            && let Ok(id) = Uuid::try_parse(&token.text)
        {
            return Some(Reference::Order(id));
        }
        if let Some(number) = token.number_after("d") {
            return Some(Reference::Delivery(number));
        }
        if let Some(number) = token.number_after("inv") {
            return Some(Reference::Invoice(number));
        }
        let announced = self.announced();
        if let Some(digits) = token.beginning() {
            let has = |of: fn(&u8) -> bool| digits.as_bytes().iter().any(of);
            let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
            let is_of_order = announced.is_some_and(|(kind, ..)| kind == Kind::Order);
            if is_mixed || is_of_order {
                return order_beginning(digits);
            }
        }
        let number = token.number()?;
        let Some((kind, is_marked, kind_at)) = announced else {
            let is_marked = self.before(self.at).is_some_and(|mark| mark.text == "#");
            let names = is_marked && token.is_glued && self.counts_nothing();
            return names.then_some(Reference::Delivery(number));
        };
        let names = match kind {
            _ if is_marked => !self.goes_on_as_number(),
            Kind::Delivery | Kind::Invoice => self.counts_nothing(),
            Kind::Order => self.is_thing(kind_at) && self.counts_nothing(),
        };
        let reference = match kind {
            Kind::Order | Kind::Delivery => Reference::Delivery(number),
            Kind::Invoice => Reference::Invoice(number),
        };
        names.then_some(reference)
    }

    /// The kind that the words before announce, whether something marks the number as such, and
    /// where the word of the kind stands.
    fn announced(self) -> Option<(Kind, bool, usize)> {
        let mut is_marked = false;
        for at in (0..self.at).rev() {
            let token = &self.tokens[at];
            if let Some(kind) = token.kind() {
                return Some((kind, is_marked, at));
            }
            is_marked |= token.is_in(MARKS);
            if !token.is_in(MARKS) && !token.is_in(JOINTS) {
                return None;
            }
        }
        None
    }

    /// Whether `order` is a thing here: `my order 12`, and not `I want to order 12`.
    fn is_thing(self, kind_at: usize) -> bool {
        match self.before(kind_at) {
            Some(word) if word.text.chars().all(char::is_alphanumeric) => word.is_in(DETERMINERS),
            // At the beginning only what became of it tells.
            _ => self.after(0).is_some_and(|word| word.is_in(BECAME)),
        }
    }

    /// Whether what follows leaves the number for itself.
    fn counts_nothing(self) -> bool {
        if self.goes_on_as_number() {
            return false;
        }
        self.after(0).is_none_or(|next| {
            let is_word = next.text.chars().all(char::is_alphanumeric);
            if is_word {
                next.is_in(BECAME) || next.is_in(GOES_ON)
            } else {
                next.is_in(&[".", ",", "?", "!", ";", ":", ")", "…", "-", "–"])
            }
        })
    }

    /// `1,000`, `12.5`, `12:30`, `12/05`, `12%`.
    fn goes_on_as_number(self) -> bool {
        let Some(sign) = self.after(0).filter(|sign| sign.is_glued) else {
            return false;
        };
        let has_digits = self.after(1).is_some_and(|next| {
            next.is_glued && next.text.starts_with(|first: char| first.is_ascii_digit())
        });
        match sign.text.as_str() {
            "." | "," | ":" | "/" => has_digits,
            "%" | "€" | "£" | "$" | "\"" | "”" => true,
            _ => false,
        }
    }

    fn before(self, at: usize) -> Option<&'a Token> {
        self.tokens[..at].last()
    }

    fn after(self, further: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + 1 + further)
    }
}
