// Package graph lays a lab out as a picture: which box stands where, and which way each cable goes. The same lab gives the same
// picture, to the pixel, wherever and however often it is drawn.
//
//	control/api's rows --> Lab --> fold --> Layout --> api.Picture --> SVG, HTML, Mermaid, DOT, draw.io
//	                                                              |
//	                                                              +--> the page, which draws packets on it
//
// The drawing is the one of textbooks: each network is a bus from its switch to the right, its hosts hang on it in rows, the gateway is
// a bar that all networks meet, and what is beyond it stands on its left. NICs stand in columns, so that what is between two of
// them is free from top to bottom: there run the cables of hosts that are on several networks.
//
//	+---------+     +---------+       +-----+
//	| outside +-----+ gateway +-------+ br0 +====+=========+======
//	+---------+     |         |       +-----+    |         |
//	                |         |               +--+--+   +--+--+
//	                |         |               | RED |   | WEB +-+
//	                |         |               +-----+   +-----+ |
//	                |         |       +-----+                   |
//	                |         +-------+ br1 +====+==============+
//	                +---------+       +-----+    |
//	                                          +--+---+
//	                                          | BLUE |
//	                                          +------+
package graph
