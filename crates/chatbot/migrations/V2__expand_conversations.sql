-- Conversations. A session belongs to one user for good; an order names its session together with
-- the user, so that nobody's order can hang on somebody else's conversation.

CREATE TABLE conversation_sessions (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    outlet_id      bigint      REFERENCES outlets (id),
    language       text        NOT NULL DEFAULT 'en' CHECK (language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_active_at timestamptz NOT NULL DEFAULT now(),
    closed_at      timestamptz,
    UNIQUE (id, user_id),
    CHECK (last_active_at >= created_at),
    CHECK (closed_at >= created_at)
);
CREATE INDEX conversation_sessions_user ON conversation_sessions (user_id, last_active_at DESC);
CREATE INDEX conversation_sessions_outlet ON conversation_sessions (outlet_id);
CREATE INDEX conversation_sessions_idle ON conversation_sessions (last_active_at)
    WHERE closed_at IS NULL;

CREATE TABLE conversation_messages (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id   uuid        NOT NULL REFERENCES conversation_sessions (id) ON DELETE CASCADE,
    role         text        NOT NULL CHECK (role IN ('user', 'assistant', 'system', 'tool')),
    content      text        NOT NULL,
    masked_items integer     NOT NULL DEFAULT 0 CHECK (masked_items >= 0),
    intent       text        CHECK (intent ~ '^[a-z][a-z0-9_]{0,63}$'),
    confidence   real        CHECK (confidence BETWEEN 0 AND 1),
    citations    jsonb       NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(citations) = 'array'),
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN conversation_messages.content IS 'personal data are masked before it is stored';
COMMENT ON COLUMN conversation_messages.masked_items IS 'how many pieces of personal data were masked';
CREATE INDEX conversation_messages_session ON conversation_messages (session_id, id);
CREATE INDEX conversation_messages_age ON conversation_messages (created_at);
