-- What a turn of a conversation leaves behind: where the conversation stands, a complaint, and the
-- answer under its key.

ALTER TABLE conversation_sessions
    ADD COLUMN turns   integer NOT NULL DEFAULT 0,
    ADD COLUMN orders  integer NOT NULL DEFAULT 0,
    ADD COLUMN pending jsonb   CHECK (jsonb_typeof(pending) = 'object'),
    ADD CONSTRAINT conversation_sessions_orders CHECK (orders BETWEEN 0 AND turns);
COMMENT ON COLUMN conversation_sessions.turns IS
    'messages that were answered; of two turns that begin at the same number one is written';
COMMENT ON COLUMN conversation_sessions.pending IS 'what is known of an order, and what is left to ask';

-- A complaint names its order together with the user, as an order names its session.
ALTER TABLE orders ADD CONSTRAINT orders_user UNIQUE (id, user_id);
CREATE INDEX orders_recent ON orders (user_id, created_at DESC);

CREATE TABLE complaints (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    number          bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    user_id         text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    session_id      uuid,
    outlet_id       bigint      REFERENCES outlets (id),
    order_id        uuid,
    idempotency_key text        NOT NULL CHECK (idempotency_key ~ '^[\x21-\x7e]{1,255}$'),
    text            text        NOT NULL CHECK (btrim(text) <> ''),
    status          text        NOT NULL DEFAULT 'open'
                    CHECK (status IN ('open', 'in_progress', 'resolved')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT complaints_idempotency UNIQUE (user_id, idempotency_key),
    CONSTRAINT complaints_session FOREIGN KEY (session_id, user_id)
        REFERENCES conversation_sessions (id, user_id),
    CONSTRAINT complaints_order FOREIGN KEY (order_id, user_id) REFERENCES orders (id, user_id)
);
COMMENT ON COLUMN complaints.text IS 'personal data are masked before it is stored';
CREATE INDEX complaints_session ON complaints (session_id);
CREATE INDEX complaints_outlet ON complaints (outlet_id);
CREATE INDEX complaints_order ON complaints (order_id);
CREATE INDEX complaints_open ON complaints (created_at) WHERE status <> 'resolved';
CREATE TRIGGER complaints_touch BEFORE UPDATE ON complaints
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE chat_answers (
    user_id         text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    idempotency_key text        NOT NULL CHECK (idempotency_key ~ '^[\x21-\x7e]{1,255}$'),
    request_hash    bytea       NOT NULL CHECK (length(request_hash) = 32),
    session_id      uuid        NOT NULL,
    status          smallint    NOT NULL CHECK (status BETWEEN 200 AND 599),
    content_type    text        NOT NULL CHECK (length(content_type) BETWEEN 1 AND 255),
    body            bytea       NOT NULL CHECK (length(body) <= 65536),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, idempotency_key),
    CONSTRAINT chat_answers_session FOREIGN KEY (session_id, user_id)
        REFERENCES conversation_sessions (id, user_id) ON DELETE CASCADE
);
COMMENT ON TABLE chat_answers IS
    'answers as they were given, byte for byte, for requests that come again; pruned by age';
COMMENT ON COLUMN chat_answers.request_hash IS
    'SHA-256 of the request: a key that comes again with another request is an error, not a repetition';
CREATE INDEX chat_answers_session ON chat_answers (session_id);
CREATE INDEX chat_answers_age ON chat_answers (created_at);
