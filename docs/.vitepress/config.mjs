// The site over docs/: its sidebar, languages and search. build.mjs writes the pages.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const pages = fileURLToPath(new URL('../../build/docs', import.meta.url))

const page = (text, link) => ({ text, link: `/${link}` })
const isWritten = ({ link }) =>
  link === undefined || existsSync(`${pages}${link.endsWith('/') ? `${link}index` : link}.md`)
/** A part of the sidebar, with the pages that there are. */
const group = (text, items, collapsed = true) => ({ text, collapsed, items: items.filter(isWritten) })

const LAYERS =
  'core convolutional pooling recurrent attention normalization regularization reshaping merging activations preprocessing'
const OPS = {
  numpy: 'arrays',
  nn: 'networks',
  linalg: 'linear algebra',
  math: 'mathematics',
  image: 'images',
  control: 'control flow',
}
const SUB_PATHS = 'balance data explain keras onnx plot predict search standalone tfjs thrift webgpu weights'

const sidebar = [
  group(
    'Start',
    [
      page('Your first network', 'first-network'),
      page('Every bundler, worker and runtime', 'start'),
      page('Examples', 'examples'),
      page('What there is', 'features'),
    ],
    false,
  ),
  group(
    'Guides',
    [
      page('Data', 'data'),
      page('Preprocessing', 'preprocessing'),
      page('Which activation, loss, optimizer', 'choosing'),
      page('Callbacks and resumable runs', 'callbacks'),
      page('Hyperparameter search', 'search'),
      page('Models of any shape', 'models'),
      page('Your own layer, loss, metric', 'custom'),
      page('Your own training loop', 'training-loops'),
      page('Pictures', 'plot'),
      page('Notebooks', 'notebooks'),
      page('Pages and workers', 'worker'),
      page('A model as one file', 'standalone'),
      page('React Native', 'react-native'),
      page('Speed, threads, headers', 'speed'),
      page('On the GPU', 'webgpu'),
    ],
    false,
  ),
  group(
    'Fields',
    [
      page('Images', 'images'),
      page('Text', 'text'),
      page('Time series', 'time-series'),
      page('Tables', 'tables'),
      page('Reinforcement learning', 'reinforcement-learning'),
    ],
    false,
  ),
  group('Formats', [
    page('Saving, loading, import, export', 'files'),
    page('Keras', 'keras-files'),
    page('ONNX', 'onnx'),
    page('TensorFlow.js', 'tfjs'),
    page('Graph-models', 'tfjs-graph-models'),
    page('Weights', 'weights'),
    page('More devices, and back', 'growing-out'),
  ]),
  group('Sustainable', [page('In balance', 'balance'), page('Thrift', 'thrift'), page('Explain', 'explain')]),
  group('Migration', [
    page('From Keras', 'from-keras'),
    page('From TensorFlow.js', 'from-tensorflow-js'),
    page('From brain.js', 'from-brain-js'),
    page('Twelve programs, ported', 'ports'),
    page('From KerasHub', 'keras-hub'),
  ]),
  group('Reference', [
    group('API', [
      page('All pages', 'api/'),
      page('Models', 'api/models'),
      page('Training', 'api/training'),
      page('Callbacks', 'api/callbacks'),
      group('Layers', [
        page('base', 'api/layers'),
        ...LAYERS.split(' ').map((name) => page(name, `api/layers-${name}`)),
      ]),
      ...[
        'activations',
        'losses',
        'metrics',
        'optimizers',
        'schedules',
        'initializers',
        'regularizers',
        'constraints',
      ].map((name) => page(name, `api/${name}`)),
      page('Tensors, gradients, jit', 'api/functions'),
      group(
        'ops',
        Object.entries(OPS).map(([name, text]) => page(text, `api/ops-${name}`)),
      ),
      page('random', 'api/random'),
      page('saving, utils, tree', 'api/saving'),
      page('Settings and errors', 'api/settings'),
      ...SUB_PATHS.split(' ').map((name) => page(`myelin/${name}`, `api/${name}`)),
    ]),
    page('Errors and their remedies', 'errors'),
    page("Keras's names", 'keras'),
    page('Glossary', 'glossary'),
  ]),
  group('Contributing', [
    page('How to contribute', 'contributing'),
    page('How it works', 'architecture'),
    page('The tape', 'tape'),
    page('Adding a layer', 'adding-a-layer'),
    page('Adding an op', 'adding-an-op'),
    page('Adding a file format', 'adding-a-format'),
    page('Decisions', 'decisions/'),
    page('What the tests check', 'checks'),
    page('Benchmarks', 'benchmarks'),
    page('Changes', 'changelog'),
  ]),
]

const chinese = [
  group('开始', [page('你的第一个网络', 'zh/first-network'), page('选择激活函数、损失和优化器', 'zh/choosing')], false),
  group(
    '英文文档',
    [
      page('图像', 'images'),
      page('文本', 'text'),
      page('数据', 'data'),
      page('自己的训练循环', 'training-loops'),
      page('API', 'api/'),
    ],
    false,
  ),
]

/** What VitePress's search says in Chinese. */
const chineseSearch = {
  button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
  modal: {
    noResultsText: '没有结果',
    resetButtonTitle: '清除',
    displayDetails: '显示详情',
    footer: { selectText: '打开', navigateText: '移动', closeText: '关闭' },
  },
}

export default defineConfig({
  title: 'myelin',
  description:
    'Neural networks for JavaScript with the API of Keras, compiled to one tape that a SIMD WebAssembly core runs',
  srcDir: pages,
  outDir: fileURLToPath(new URL('../../build/docs-site', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../../build/docs-cache', import.meta.url)),
  // A default of an option, not a link.
  ignoreDeadLinks: 'localhostLinks',
  lastUpdated: false,
  metaChunk: true,
  markdown: { lineNumbers: false },
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  head: [
    ['link', { rel: 'icon', href: '/icon.svg', type: 'image/svg+xml' }],
    ['meta', { name: 'theme-color', content: '#005a9c' }],
  ],
  themeConfig: {
    search: { provider: 'local', options: { locales: { zh: { translations: chineseSearch } } } },
    outline: { level: [2, 3] },
    externalLinkIcon: true,
    footer: { message: 'MIT licence' },
  },
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      themeConfig: {
        nav: [
          page('Start', 'first-network'),
          page('Guides', 'data'),
          page('API', 'api/'),
          page('Migration', 'from-keras'),
        ],
        sidebar,
      },
    },
    zh: {
      label: '简体中文',
      lang: 'zh-CN',
      title: 'myelin',
      description: '使用 Keras API 的 JavaScript 神经网络库',
      themeConfig: {
        nav: [page('开始', 'zh/first-network'), page('选择', 'zh/choosing'), page('API（英文）', 'api/')],
        sidebar: chinese,
        outline: { level: [2, 3], label: '本页' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '外观',
        sidebarMenuLabel: '目录',
        returnToTopLabel: '回到顶部',
      },
    },
  },
})
