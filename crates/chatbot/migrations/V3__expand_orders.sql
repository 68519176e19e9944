-- Orders and their lines. Prices and the tax rate are copies: a later change of the catalogue or
-- of the law must not change what was agreed.

CREATE TABLE orders (
    id              uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id         text           NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    outlet_id       bigint         NOT NULL REFERENCES outlets (id),
    session_id      uuid,
    idempotency_key text           NOT NULL CHECK (idempotency_key ~ '^[\x21-\x7e]{1,255}$'),
    request_hash    bytea          NOT NULL CHECK (length(request_hash) = 32),
    status          text           NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'confirmed', 'delivered', 'cancelled')),
    subtotal        numeric(12, 2) NOT NULL CHECK (subtotal > 0),
    tax_rate        numeric(7, 6)  NOT NULL CHECK (tax_rate BETWEEN 0 AND 1),
    tax             numeric(12, 2) NOT NULL,
    total           numeric(12, 2) NOT NULL,
    created_at      timestamptz    NOT NULL DEFAULT now(),
    updated_at      timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT orders_idempotency UNIQUE (user_id, idempotency_key),
    CONSTRAINT orders_tax CHECK (tax = round(subtotal * tax_rate, 2)),
    CONSTRAINT orders_total CHECK (total = subtotal + tax),
    CONSTRAINT orders_session FOREIGN KEY (session_id, user_id)
        REFERENCES conversation_sessions (id, user_id)
);
COMMENT ON COLUMN orders.request_hash IS
    'SHA-256 of the request: a key that comes again with another request is an error, not a repetition';
CREATE INDEX orders_outlet ON orders (outlet_id, created_at DESC);
CREATE INDEX orders_session ON orders (session_id);
CREATE INDEX orders_open ON orders (created_at) WHERE status IN ('pending', 'confirmed');

CREATE TABLE order_items (
    order_id   uuid           NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position   smallint       NOT NULL CHECK (position > 0),
    product_id bigint         NOT NULL REFERENCES products (id),
    sku        text           NOT NULL,
    quantity   integer        NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2) NOT NULL CHECK (unit_price > 0),
    line_total numeric(12, 2) NOT NULL,
    PRIMARY KEY (order_id, position),
    CONSTRAINT order_items_product UNIQUE (order_id, product_id),
    CONSTRAINT order_items_total CHECK (line_total = quantity * unit_price)
);
COMMENT ON COLUMN order_items.quantity IS 'packs';
CREATE INDEX order_items_product_id ON order_items (product_id);

-- An order is worth what its lines are worth. Judged when the transaction ends, since an order
-- and its lines cannot be written in one statement.
CREATE FUNCTION check_order_subtotal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    concerned uuid;
    stated numeric(12, 2);
    summed numeric(14, 2);
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        concerned := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        concerned := OLD.order_id;
    ELSE
        concerned := NEW.order_id;
    END IF;
    SELECT subtotal INTO stated FROM orders WHERE id = concerned;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(line_total), 0) INTO summed FROM order_items WHERE order_id = concerned;
    IF stated <> summed THEN
        RAISE EXCEPTION 'the subtotal of order % is %, its lines are worth %', concerned, stated, summed
            USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_subtotal', TABLE = 'orders';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION keep_order_of_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a line stays with its order'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'order_items_order', TABLE = 'order_items';
END
$$;

CREATE CONSTRAINT TRIGGER orders_subtotal AFTER INSERT OR UPDATE OF subtotal ON orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_subtotal();
CREATE CONSTRAINT TRIGGER order_items_subtotal AFTER INSERT OR UPDATE OR DELETE ON order_items
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_order_subtotal();
CREATE TRIGGER order_items_order BEFORE UPDATE OF order_id ON order_items
    FOR EACH ROW WHEN (NEW.order_id <> OLD.order_id) EXECUTE FUNCTION keep_order_of_item();
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
