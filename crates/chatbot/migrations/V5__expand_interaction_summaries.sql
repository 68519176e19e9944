-- What is known of a user over all conversations, kept up as they happen.

CREATE TABLE user_interaction_summaries (
    user_id          text           PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 255),
    sessions         integer        NOT NULL DEFAULT 0 CHECK (sessions >= 0),
    messages         integer        NOT NULL DEFAULT 0 CHECK (messages >= 0),
    orders           integer        NOT NULL DEFAULT 0 CHECK (orders >= 0),
    spent            numeric(12, 2) NOT NULL DEFAULT 0 CHECK (spent >= 0),
    last_session_id  uuid           REFERENCES conversation_sessions (id) ON DELETE SET NULL,
    last_outlet_id   bigint         REFERENCES outlets (id),
    last_intent      text           CHECK (last_intent ~ '^[a-z][a-z0-9_]{0,63}$'),
    language         text           CHECK (language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    first_seen_at    timestamptz    NOT NULL DEFAULT now(),
    last_seen_at     timestamptz    NOT NULL DEFAULT now(),
    CHECK (last_seen_at >= first_seen_at)
);
COMMENT ON COLUMN user_interaction_summaries.spent IS 'the sum of the totals of orders not cancelled';
CREATE INDEX user_interaction_summaries_seen ON user_interaction_summaries (last_seen_at DESC);
CREATE INDEX user_interaction_summaries_outlet ON user_interaction_summaries (last_outlet_id);
CREATE INDEX user_interaction_summaries_session ON user_interaction_summaries (last_session_id);
