//! Caddy as the proxy, in a container of the engine.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    engine::{ContainerState, Engine, EngineError, Output},
    proxy::Proxy,
};

/// The Caddy of a project. Whom the traffic goes to is a file in a volume, which outlives the
/// container, and which a reload takes up without cutting a request.
pub struct Caddy {
    engine: Arc<dyn Engine>,
    container: String,
    port: u16,
}

/// The file, with the name of the container in its first line.
const FILE: &str = "/etc/caddy-upstream/active.caddy";

/// Takes up what the file says. Doing it again changes nothing.
const RELOAD: &str = "caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile";

// === impl Caddy ===

impl Caddy {
    /// The proxy in that container; releases listen on that port.
    pub fn new(engine: Arc<dyn Engine>, container: impl Into<String>, port: u16) -> Self {
        Self {
            engine,
            container: container.into(),
            port,
        }
    }

    async fn shell(&self, script: &str, arguments: &[&str]) -> Result<Output, EngineError> {
        let mut command: Vec<String> = ["sh", "-euc", script, "sh"].map(str::to_owned).into();
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let output = self.engine.exec(&self.container, &command).await?;
        if output.is_success() {
            return Ok(output);
        }
        Err(EngineError::Refused {
            action: "tell the proxy".into(),
            source: output.tail(10).into(),
        })
    }
}

#[async_trait]
impl Proxy for Caddy {
    async fn target(&self) -> Result<Option<String>, EngineError> {
        let Some(found) = self.engine.container(&self.container).await? else {
            return Ok(None);
        };
        // It may say one thing as soon as it runs again: nobody knows which.
        if found.state != ContainerState::Running {
            return Err(EngineError::Refused {
                action: "ask the proxy".into(),
                source: format!("{} does not run", self.container).into(),
            });
        }
        // Whoever died between writing and reloading left them apart.
        let script = format!("[ -e {FILE} ] || exit 0; head -n 1 {FILE}; {RELOAD} >&2");
        let said = self.shell(&script, &[]).await?.stdout;
        let target = said.lines().next().and_then(|line| line.strip_prefix("# "));
        Ok(target.map(str::to_owned))
    }

    async fn point_to(&self, container: &str) -> Result<(), EngineError> {
        let content = upstream(container, self.port);
        // The file of before comes back if Caddy does not take the new one.
        let script = format!(
            "umask 022; printf %s \"$1\" >{FILE}.new; \
             if [ -e {FILE} ]; then cp {FILE} {FILE}.old; else rm -f {FILE}.old; fi; \
             mv {FILE}.new {FILE}; \
             if ! {RELOAD}; then \
               if [ -e {FILE}.old ]; then mv {FILE}.old {FILE}; else rm -f {FILE}; fi; \
               {RELOAD} || true; exit 1; \
             fi"
        );
        self.shell(&script, &[&content]).await?;
        Ok(())
    }
}

/// Streams of events are handed on at once without being told to. With `flush_interval -1` some
/// versions (2.6.2) end with a panic when a reload finds a stream open.
fn upstream(container: &str, port: u16) -> String {
    format!("# {container}\nheader X-Tria-Release {container}\nreverse_proxy {container}:{port}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_target() {
        let written = upstream("tria-server-7", 8003);
        assert_eq!(
            written.lines().next().unwrap().strip_prefix("# "),
            Some("tria-server-7")
        );
        assert!(written.contains("reverse_proxy tria-server-7:8003\n"));
        assert!(!written.contains("flush_interval"), "{written}");
    }
}
