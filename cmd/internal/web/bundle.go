package web

import (
	"embed"
	"io/fs"
)

// bundle is what `make web` has made of page/src.
//
//go:embed page/dist
var bundle embed.FS

// Files returns the page: index.html and what that loads.
func Files() fs.FS {
	files, err := fs.Sub(bundle, "page/dist")
	if err != nil {
		panic("web: " + err.Error()) // the name is well-formed
	}
	return files
}
