-- What follows an order: deliveries and the invoice.

CREATE TABLE delivery_orders (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id         uuid        NOT NULL REFERENCES orders (id),
    number           bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    outlet_id        bigint      NOT NULL REFERENCES outlets (id),
    delivery_address text        NOT NULL CHECK (btrim(delivery_address) <> ''),
    status           text        NOT NULL DEFAULT 'scheduled'
                     CHECK (status IN ('scheduled', 'dispatched', 'delivered', 'failed', 'cancelled')),
    scheduled_for    date,
    dispatched_at    timestamptz,
    delivered_at     timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT delivery_orders_dispatched
        CHECK (status NOT IN ('dispatched', 'delivered') OR dispatched_at IS NOT NULL),
    CONSTRAINT delivery_orders_delivered
        CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    CHECK (delivered_at >= dispatched_at)
);
COMMENT ON COLUMN delivery_orders.delivery_address IS 'as it was when the delivery was planned';
CREATE INDEX delivery_orders_order ON delivery_orders (order_id);
CREATE INDEX delivery_orders_outlet ON delivery_orders (outlet_id);
CREATE INDEX delivery_orders_open ON delivery_orders (scheduled_for)
    WHERE status IN ('scheduled', 'dispatched');

CREATE TABLE invoices (
    id          uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id    uuid           NOT NULL UNIQUE REFERENCES orders (id),
    number      bigint         GENERATED ALWAYS AS IDENTITY UNIQUE,
    status      text           NOT NULL DEFAULT 'draft'
                CHECK (status IN ('draft', 'issued', 'paid', 'void')),
    subtotal    numeric(12, 2) NOT NULL CHECK (subtotal > 0),
    tax_rate    numeric(7, 6)  NOT NULL CHECK (tax_rate BETWEEN 0 AND 1),
    tax         numeric(12, 2) NOT NULL,
    total       numeric(12, 2) NOT NULL,
    external_id text           UNIQUE,
    issued_at   timestamptz,
    due_on      date,
    paid_at     timestamptz,
    created_at  timestamptz    NOT NULL DEFAULT now(),
    updated_at  timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT invoices_tax CHECK (tax = round(subtotal * tax_rate, 2)),
    CONSTRAINT invoices_total CHECK (total = subtotal + tax),
    CONSTRAINT invoices_issued CHECK (status NOT IN ('issued', 'paid') OR issued_at IS NOT NULL),
    CONSTRAINT invoices_paid CHECK ((status = 'paid') = (paid_at IS NOT NULL))
);
COMMENT ON COLUMN invoices.external_id IS 'its identifier in the accounting system';
CREATE INDEX invoices_unpaid ON invoices (due_on) WHERE status = 'issued';

CREATE TRIGGER delivery_orders_touch BEFORE UPDATE ON delivery_orders
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER invoices_touch BEFORE UPDATE ON invoices
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
