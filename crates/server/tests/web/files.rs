//! The files of a folder over HTTPS.

use crate::common::{Web, ask, client_profile, connect, get, server_profile};
use http::{Method, StatusCode};
use server::Site;

#[tokio::test]
async fn files_are_served_and_nothing_outside_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("deep")).unwrap();
    std::fs::write(root.join("deep/page.html"), "<p>deep").unwrap();
    std::fs::write(root.join("big"), vec![7; 3_000_000]).unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    for hidden in [".git", ".well-known"] {
        std::fs::create_dir(root.join(hidden)).unwrap();
        std::fs::write(root.join(hidden).join("config"), "secret").unwrap();
    }
    std::fs::write(root.join(".env"), "secret").unwrap();
    std::fs::create_dir_all(root.join("odd/index.html")).unwrap();
    #[cfg(unix)]
    for (target, link) in [
        ("deep/page.html", "inside"),
        ("../secret", "outside"),
        ("..", "up"),
        (".env", "plain"),
        ("../../secret", "deep/index.html"),
        ("loop", "loop"),
    ] {
        std::os::unix::fs::symlink(target, root.join(link)).unwrap();
    }
    #[cfg(unix)]
    {
        let mut mkfifo = std::process::Command::new("mkfifo");
        assert!(mkfifo.arg(root.join("pipe")).status().unwrap().success());
    }
    let web = Web::start("rustls", &server_profile(), Site::files(&root).unwrap()).await;
    for alpn in ["h2", "http/1.1"] {
        let status = async |request| {
            let stream = connect(web.address, "rustls", &client_profile(alpn)).await;
            ask(stream.unwrap(), request).await.unwrap()
        };
        let page = status(get("/deep/page.html", &[])).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()["content-type"], "text/html");
        assert_eq!(page.body().as_ref(), b"<p>deep");
        #[cfg(unix)]
        {
            let linked = status(get("/inside", &[])).await;
            assert_eq!(linked.body().as_ref(), b"<p>deep");
        }
        let big = status(get("/big", &[])).await;
        assert_eq!(big.body().len(), 3_000_000);
        assert!(big.body().iter().all(|byte| *byte == 7));
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "/deep/../../secret",
            "/deep/..%2f..%2fsecret",
            "/none",
            "/.env",
            "/%2eenv",
            "/.git/config",
            "/.well-known/config",
            "/outside",
            "/up/secret",
            "/plain",
            // Its index is a link to the outside.
            "/deep/",
        ] {
            let response = status(get(path, &[])).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
        // By no path is anything else said of what is not there, by GET or by HEAD.
        let long = format!("/{}", "a".repeat(300));
        let longer = "/a".repeat(3000);
        for path in [
            "/%00",
            "/deep/%00.html",
            &long,
            &longer,
            "/deep/page.html/more",
            "//deep",
            "//deep/page.html",
            #[cfg(unix)]
            "/loop",
            #[cfg(unix)]
            "/pipe",
            // Its index is a folder.
            "/odd/",
        ] {
            for method in [Method::GET, Method::HEAD] {
                let mut request = get(path, &[]);
                *request.method_mut() = method.clone();
                let response = status(request).await;
                assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
            }
        }
        let folder = status(get("/deep", &[])).await;
        assert_eq!(folder.status(), StatusCode::TEMPORARY_REDIRECT);
        let mut post = get("/deep/page.html", &[]);
        *post.method_mut() = Method::POST;
        assert_eq!(status(post).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    assert!(Site::files(&root.join("big")).is_err());
    assert!(Site::files(&root.join("none")).is_err());
}

/// RFC 9110 sections 9.3.2, 13.1.5 and 14.2.
#[tokio::test]
async fn ranges_are_served_where_they_are_asked_for_and_can_be() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("digits"), "0123456789").unwrap();
    let site = Site::files(folder.path()).unwrap();
    let web = Web::start("rustls", &server_profile(), site).await;
    for alpn in ["h2", "http/1.1"] {
        let answer = async |method: Method, headers: &[(&str, &str)]| {
            let stream = connect(web.address, "rustls", &client_profile(alpn)).await;
            let mut request = get("/digits", headers);
            *request.method_mut() = method;
            ask(stream.unwrap(), request).await.unwrap()
        };
        let whole = answer(Method::GET, &[]).await;
        let date = whole.headers()["last-modified"]
            .to_str()
            .unwrap()
            .to_owned();
        let part = answer(Method::GET, &[("range", "bytes=2-4")]).await;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(part.body().as_ref(), b"234");
        assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
        let beyond = answer(Method::GET, &[("range", "bytes=10-")]).await;
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        for headers in [
            &[("range", "bytes=2-4"), ("if-range", "\"other\"")][..],
            &[("range", "bytes=2-4"), ("if-range", &date)],
            &[("range", "lines=2-4")],
            &[("range", "bytes=0-1,4-5")],
        ] {
            let response = answer(Method::GET, headers).await;
            assert_eq!(response.status(), StatusCode::OK, "{headers:?}");
            assert_eq!(response.body().as_ref(), b"0123456789", "{headers:?}");
        }
        for headers in [&[][..], &[("range", "bytes=2-4")]] {
            let head = answer(Method::HEAD, headers).await;
            assert_eq!(head.status(), StatusCode::OK, "{headers:?}");
            assert_eq!(head.headers()["content-length"], "10", "{headers:?}");
            assert_eq!(head.headers()["etag"], whole.headers()["etag"]);
            assert!(head.body().is_empty());
        }
    }
}
