//! The files of a folder, and nothing else.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::future::Future;
use std::io::{self, ErrorKind, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, DefaultServeDirFallback, File};
use tower_service::Service;

use crate::ServerError;
use crate::site::{Body, whole};

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
        let files = ServeDir::with_backend(folder, inside).ignore_multi_range_requests(true);
        Ok(Self(files))
    }

    /// Answers a GET or a HEAD.
    pub(crate) async fn respond(&self, mut request: Request<Incoming>) -> Response<Body> {
        // A redirection to `//name/` would lead to another host (RFC 3986 section 4.2).
        if request.uri().path().starts_with("//") {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return whole(response);
        }
        if !takes_range(&request) {
            request.headers_mut().remove(RANGE);
        }
        // The header for HEAD is that for GET (RFC 9110 section 9.3.2).
        let is_head = std::mem::replace(request.method_mut(), Method::GET) == Method::HEAD;
        let Ok(response) = self.0.clone().call(request).await;
        match is_head {
            true => whole(response.map(|_| Bytes::new())),
            false => response.map(|body| body.boxed_unsync()),
        }
    }
}

/// Whether a range of the file may be what is asked for. It is not by another method than GET,
/// nor in a unit that is not known (RFC 9110 section 14.2). What If-Range names is not
/// compared: the whole file is a right answer to it (RFC 9110 section 13.1.5).
fn takes_range<B>(request: &Request<B>) -> bool {
    let in_bytes = |headers: &HeaderMap| {
        let range = headers.get(RANGE);
        range.is_some_and(|range| range.as_bytes().starts_with(b"bytes="))
    };
    let headers = request.headers();
    request.method() == Method::GET && in_bytes(headers) && !headers.contains_key(IF_RANGE)
}

/// The file system under one folder.
#[derive(Debug, Clone)]
struct Inside {
    /// Without symbolic links.
    root: PathBuf,
}

type Pending<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl Backend for Inside {
    type File = RegularFile;
    type Metadata = Metadata;
    type OpenFuture = Pending<RegularFile>;
    type MetadataFuture = Pending<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let inside = self.clone();
        Box::pin(async move {
            let path = inside.resolve(&path).await?;
            RegularFile::open(&path).await.map_err(as_missing)
        })
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let inside = self.clone();
        Box::pin(async move {
            let path = inside.resolve(&path).await?;
            tokio::fs::metadata(path).await.map_err(as_missing)
        })
    }
}

impl Inside {
    /// What a path leads to, if that and the way to it may be shown.
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        // What a hidden path leads to is not even looked at.
        if !self.shows(path) {
            return Err(ErrorKind::NotFound.into());
        }
        let target = tokio::fs::canonicalize(path).await.map_err(as_missing)?;
        match self.shows(&target) {
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

/// What no file can be behind is told as any other that is missing: a name that is too long or
/// holds a NUL, a link to itself, something that can't be opened to read.
fn as_missing(error: io::Error) -> io::Error {
    let is_name = matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::NotADirectory
    );
    #[cfg(unix)]
    let is_name = is_name || matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENXIO));
    match is_name {
        true => ErrorKind::NotFound.into(),
        false => error,
    }
}

/// A file that is open, and no pipe, device or folder.
struct RegularFile {
    file: tokio::fs::File,
    metadata: Metadata,
}

impl RegularFile {
    /// Judges what was opened, and not its name: that may lead elsewhere by then.
    async fn open(path: &Path) -> io::Result<Self> {
        let mut options = tokio::fs::OpenOptions::new();
        options.read(true);
        // Opening a pipe would wait for its writer.
        #[cfg(unix)]
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.open(path).await?;
        let metadata = file.metadata().await?;
        match metadata.is_file() {
            true => Ok(Self { file, metadata }),
            false => Err(ErrorKind::NotFound.into()),
        }
    }
}

impl File for RegularFile {
    type Metadata = Metadata;
    type MetadataFuture<'a> = std::future::Ready<io::Result<Metadata>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        std::future::ready(Ok(self.metadata.clone()))
    }
}

impl AsyncRead for RegularFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.file).poll_read(cx, buffer)
    }
}

impl AsyncSeek for RegularFile {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.file).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.file).poll_complete(cx)
    }
}
