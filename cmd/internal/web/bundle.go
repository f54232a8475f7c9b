package web

import "embed"

// bundle is what `make web` has made of page/src.
//
//go:embed page/dist
var bundle embed.FS
