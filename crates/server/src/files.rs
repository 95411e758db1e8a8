//! The files of a folder, and nothing else.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, DefaultServeDirFallback, TokioBackend, TokioFile};
use tower_service::Service;

use crate::ServerError;
use crate::site::Body;

/// The regular files under a folder, `index.html` for folders.
///
/// Neither dotfiles nor what symbolic links lead to outside of the folder is served: to
/// clients there is nothing. A link is looked at before its target is opened, so that whoever
/// may write into the folder can still have any file served.
#[derive(Clone)]
pub struct Files(ServeDir<DefaultServeDirFallback, Inside>);

impl Files {
    pub(crate) fn new(root: &Path) -> Result<Self, ServerError> {
        let fault = |error| ServerError::Root {
            root: root.to_owned(),
            error,
        };
        let folder = root.canonicalize().map_err(fault)?;
        if !folder.is_dir() {
            return Err(fault(ErrorKind::NotADirectory.into()));
        }
        let inside = Inside {
            root: folder.clone(),
        };
        Ok(Self(ServeDir::with_backend(folder, inside)))
    }

    pub(crate) async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let Ok(response) = self.0.clone().call(request).await;
        response.map(|body| body.boxed_unsync())
    }
}

/// The file system under one folder.
#[derive(Debug, Clone)]
struct Inside {
    /// Without symbolic links.
    root: PathBuf,
}

type Pending<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl Backend for Inside {
    type File = TokioFile;
    type Metadata = Metadata;
    type OpenFuture = Pending<TokioFile>;
    type MetadataFuture = Pending<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let inside = self.clone();
        Box::pin(async move {
            let path = inside.resolve(&path).await?;
            // Opening a pipe would wait for its writer.
            match TokioBackend.metadata(path.clone()).await?.is_file() {
                true => TokioBackend.open(path).await,
                false => Err(ErrorKind::NotFound.into()),
            }
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let inside = self.clone();
        Box::pin(async move {
            let path = inside.resolve(&path).await?;
            TokioBackend.metadata(path).await
        })
    }
}

impl Inside {
    /// What a path leads to, if that and the way to it may be shown.
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let target = tokio::fs::canonicalize(path).await?;
        match self.shows(path) && self.shows(&target) {
            true => Ok(target),
            false => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Whether it lies under the root, and no part below the root has a name with a dot
    /// first.
    fn shows(&self, path: &Path) -> bool {
        let is_shown = |part| matches!(part, Component::Normal(name) if !is_hidden(name));
        path.strip_prefix(&self.root)
            .is_ok_and(|below| below.components().all(is_shown))
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}
