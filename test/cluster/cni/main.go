// Program libcni-gc: a runtime's GC call, which names the attachments that are valid. cnitool's own names none.
//
//	libcni-gc NETWORK [CONTAINER/INTERFACE...]     with CNI_PATH and NETCONFPATH, as cnitool
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

func main() {
	if err := collect(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func collect(network string, valid []string) error {
	list, err := libcni.LoadNetworkConf(os.Getenv("NETCONFPATH"), network)
	if err != nil {
		return err
	}
	attachments := []types.GCAttachment{}
	for _, each := range valid {
		container, ifname, _ := strings.Cut(each, "/")
		attachments = append(attachments, types.GCAttachment{ContainerID: container, IfName: ifname})
	}
	runtime := libcni.NewCNIConfig(filepath.SplitList(os.Getenv("CNI_PATH")), nil)
	return runtime.GCNetworkList(context.Background(), list, &libcni.GCArgs{ValidAttachments: attachments})
}
