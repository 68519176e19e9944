//! The closed lists of words that steer how a message is read, and name nothing. All are lowercase
//! without apostrophes.

/// Between lines, as a comma is.
pub(super) fn separates(word: &str) -> bool {
    matches!(
        word,
        "and" | "n" | "an" | "plus" | "also" | "then" | "but" | "so" | "because" | "while"
    )
}

/// After the name of a product, such a word begins something else.
pub(super) fn ends_phrase(word: &str) -> bool {
    matches!(
        word,
        "for"
            | "to"
            | "by"
            | "on"
            | "before"
            | "after"
            | "at"
            | "that"
            | "which"
            | "when"
            | "if"
            | "until"
            | "from"
            | "as"
            | "is"
            | "are"
            | "was"
            | "were"
            | "go"
            | "went"
            | "will"
            | "would"
            | "this"
            | "next"
            | "last"
            | "today"
            | "tomorrow"
            | "tonight"
            | "each"
            | "asap"
            | "now"
            | "again"
            | "i"
            | "we"
            | "it"
            | "deliver"
            | "delivered"
            | "came"
            | "have"
            | "has"
            | "had"
            | "left"
            | "please"
            | "pls"
            | "plz"
            | "ta"
            | "thanks"
    )
}

/// Says nothing of what is ordered.
pub(super) fn is_filler(word: &str) -> bool {
    const FILLER: &str = "\
        a able about actually add afternoon all almost also am another any anything anyway approximately \
        around ask asked away back be been better boss bring can change cheers could couple cust \
        day correction dear definitely do does down drop either else enough err evening extra fancy fine forgot \
        friday get give going good got grateful great guess guys he hello her hey hi him \
        hiya how id idea idk im in instead its ive just kind kindly let lets like list ll looking \
        lot love madam make matching mate may maybe me mean meant mentioned might mind nearly nothing \
        monday month more morning much my need needs number of off oh ok okay one ones only \
        oops order ordering our out over perhaps plus possible probably put qty quantity quick \
        rather really ref reply required run running said same saturday say send shall she ship \
        should sir some somewhere soon sorry still stock stuff sunday sure take team thank \
        thats the their them there these totally they those though thoughts thursday thx time told too total \
        too tuesday u um up ur urgently us usual weare usually very wait want wanted wants wed \
        wednesday week weekend weekly well weve what whatever whether who with wondering \
        worth x yeah yes you youd your";
    FILLER.split(' ').any(|filler| filler == word) || ends_phrase(word)
}

/// Takes back or puts right what was said before.
pub(super) fn corrects(word: &str) -> bool {
    matches!(
        word,
        "actually"
            | "sorry"
            | "mean"
            | "meant"
            | "rather"
            | "better"
            | "instead"
            | "change"
            | "wait"
            | "oops"
            | "correction"
            | "make"
            | "whoops"
            | "edit"
    )
}

/// What follows is not wanted.
pub(super) fn denies(word: &str) -> bool {
    matches!(
        word,
        "no" | "not"
            | "without"
            | "forget"
            | "cancel"
            | "skip"
            | "remove"
            | "dont"
            | "wont"
            | "except"
            | "scratch"
            | "scrap"
            | "omit"
            | "delete"
            | "never"
            | "nor"
    )
}

/// What was, is no order.
pub(super) fn tells_of_the_past(word: &str) -> bool {
    matches!(
        word,
        "ordered"
            | "received"
            | "got"
            | "sent"
            | "had"
            | "used"
            | "bought"
            | "arrived"
            | "came"
            | "took"
            | "sell"
            | "serve"
            | "bake"
            | "typed"
            | "wrote"
            | "delivered"
            | "brought"
            | "made"
            | "shipped"
            | "gave"
            | "paid"
            | "already"
            | "still"
            | "sold"
            | "missing"
    )
}

/// Asks for what follows.
pub(super) fn wants(word: &str) -> bool {
    matches!(
        word,
        "need"
            | "needs"
            | "want"
            | "wants"
            | "send"
            | "order"
            | "get"
            | "like"
            | "add"
            | "some"
            | "more"
            | "take"
            | "bring"
            | "another"
            | "fancy"
            | "double"
            | "have"
    )
}

/// What follows is wanted besides what was said.
pub(super) fn adds(word: &str) -> bool {
    matches!(word, "also" | "plus" | "too" | "add" | "extra" | "another")
}

/// Begins a correction also in the midst of a line.
pub(super) fn takes_back(word: &str) -> bool {
    matches!(word, "sorry" | "oops" | "whoops" | "correction")
}

/// Has goods brought, so that a question is an order.
pub(super) fn sends(word: &str) -> bool {
    matches!(
        word,
        "send" | "deliver" | "bring" | "ship" | "put" | "add" | "book" | "supply" | "order"
    )
}

/// May stand before a number that is not sure.
pub(super) fn hedges(word: &str) -> bool {
    matches!(
        word,
        "maybe" | "perhaps" | "possibly" | "even" | "about" | "around"
    )
}

/// After `same as`, tells of an order before.
pub(super) fn tells_before(word: &str) -> bool {
    matches!(
        word,
        "last" | "before" | "always" | "usual" | "usually" | "ever" | "yesterday"
    )
}

/// Points back to what was named before.
pub(super) fn points_back(word: &str) -> bool {
    matches!(
        word,
        "them" | "those" | "these" | "they" | "matching" | "ones" | "it"
    )
}

/// A quantity that is none.
pub(super) fn is_vague(word: &str) -> bool {
    matches!(
        word,
        "few"
            | "several"
            | "load"
            | "loads"
            | "lots"
            | "bunch"
            | "handful"
            | "double"
            | "triple"
            | "plenty"
            | "many"
    )
}
