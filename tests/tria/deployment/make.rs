//! How releases are made that fail in the ways that are wanted.

/// How the release is made that is deployed next. None but the real one compiles anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// The program that the first deployment built, as it is.
    Good,
    /// Ends as soon as it serves.
    Crashes,
    /// Runs and answers nobody.
    Mute,
    /// Is well, and answers one of the integration tests otherwise.
    Differs,
}

// === impl Make ===

impl Make {
    pub(super) fn dockerfile(self, number: &str) -> String {
        if self == Self::Good {
            return format!(
                "FROM scratch\nARG REVISION=unknown\nLABEL test={number} revision=${{REVISION}}\n\
                 COPY built /\nCOPY data /data\nUSER 10001:10001\nENTRYPOINT [\"/tria-server\"]\nCMD [\"serve\"]\n"
            );
        }
        format!(
            "FROM debian:trixie-slim\nLABEL test={number}\nCOPY built /\nCOPY data /data\n\
             COPY deploy/release.sh /release.sh\nUSER 10001:10001\n\
             ENTRYPOINT [\"/bin/sh\", \"/release.sh\"]\nCMD [\"serve\"]\n"
        )
    }

    pub(super) fn script(self) -> &'static str {
        match self {
            Self::Good => "",
            Self::Crashes => "[ \"$1\" = serve ] && exit 1\nexec /tria-server \"$@\"\n",
            Self::Mute => "[ \"$1\" = serve ] && exec sleep infinity\nexec /tria-server \"$@\"\n",
            Self::Differs => {
                "if [ \"$1\" = serve ]; then unset DIAGNOSTICS_TOKEN_FILE; export ENVIRONMENT=development; fi\nexec /tria-server \"$@\"\n"
            }
        }
    }
}
