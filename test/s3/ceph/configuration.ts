// SPDX-License-Identifier: Apache-2.0

/** In the chroot. */
export const DATA = '/var/lib/uk-ceph';
export const CONFIGURATION = '/etc/uk-ceph/ceph.conf';
export const KEYRING = '/etc/uk-ceph/keyring';
export const MONITORS = `${DATA}/monmap`;
export const CLUSTER = '5b1f3a52-6c0e-4b7e-9d55-0c6a7f0e8d11';
export const DISK = '0f4de1c2-93ab-4f0c-8a70-6a1d8b9c2e33';

/** One monitor, one disk that is a file, one gateway; nothing listens beyond loopback. */
export function configuration(ports: { monitor: number; gateway: number }): string {
  return `[global]
fsid = ${CLUSTER}
mon_initial_members = a
mon_host = v2:127.0.0.1:${ports.monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = ${KEYRING}
run_dir = ${DATA}/run
admin_socket = ${DATA}/run/$name.asok
log_file = ${DATA}/$name.log
log_to_stderr = false
mon_cluster_log_file = ${DATA}/cluster.log

# One copy of everything.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 1000
mon_data = ${DATA}/mon
osd_data = ${DATA}/osd

# A sparse file as the disk; it may fill what the machine has.
osd_objectstore = bluestore
bluestore_block_size = 21474836480
mon_data_avail_warn = 1
mon_data_avail_crit = 1
osd_failsafe_full_ratio = 0.99

# Small.
osd_memory_target = 939524096
bluestore_cache_autotune = false
bluestore_cache_size = 134217728

[client.rgw]
# Without tcp_nodelay small answers wait for the acknowledgement of the ones before.
rgw_frontends = beast endpoint=127.0.0.1:${ports.gateway} tcp_nodelay=1
rgw_thread_pool_size = 64
`;
}
